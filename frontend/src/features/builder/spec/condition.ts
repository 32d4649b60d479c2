// Conditions of constraints as rows of a sentence: "steps at most 8". The condition itself stays the one truth; rows
// are a view of it, and a row that no sentence can say is kept as it is.
import { isNumeric, kindOf } from "./parameters";
import type { Scalar } from "./values";

export type Operator = "is" | "isNot" | "in" | "notIn" | "min" | "max" | "other";
export interface Row {
  name: string;
  operator: Operator;
  /** Of `other`: the test as it is written. */
  value: unknown;
}
export type Condition = Record<string, unknown>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function rowOf(name: string, member: string, value: unknown): Row {
  if (member === "eq") return { name, operator: "is", value };
  if (member === "in" || member === "min" || member === "max") return { name, operator: member, value };
  if (member === "not" && !isObject(value)) return { name, operator: "isNot", value };
  if (member === "not" && isObject(value) && Object.keys(value).join() === "in")
    return { name, operator: "notIn", value: value.in };
  return { name, operator: "other", value: { [member]: value } };
}

export function rowsOf(condition: unknown): Row[] {
  if (!isObject(condition)) return [];
  return Object.entries(condition).flatMap(([name, test]) =>
    isObject(test)
      ? Object.entries(test).map(([member, value]) => rowOf(name, member, value))
      : [{ name, operator: "is" as const, value: test }],
  );
}

function testOf({ operator, value }: Row): Record<string, unknown> {
  if (operator === "is") return { eq: value };
  if (operator === "isNot") return { not: value };
  if (operator === "notIn") return { not: { in: value } };
  if (operator === "other") return isObject(value) ? value : {};
  return { [operator]: value };
}

/** Rows of one name come together in one test; of two that say the same thing the later one counts. */
export function conditionOf(rows: Row[]): Condition {
  const tests: Record<string, Record<string, unknown>> = {};
  for (const row of rows) tests[row.name] = { ...tests[row.name], ...testOf(row) };
  return Object.fromEntries(
    Object.entries(tests).map(([name, test]) => [name, Object.keys(test).join() === "eq" ? test.eq : test]),
  );
}

/** What somebody typed, as the type that the named parameter has. */
export function scalarOf(name: string, text: string): Scalar {
  const kind = kindOf(name);
  const number = Number(text);
  const whole = kind !== "seed" || Number.isSafeInteger(number);
  return isNumeric(kind) && text.trim() !== "" && Number.isFinite(number) && whole ? number : text;
}

export const operatorsFor = (name: string): Operator[] =>
  isNumeric(kindOf(name)) ? ["is", "isNot", "min", "max", "in", "notIn"] : ["is", "isNot", "in", "notIn"];

/** The value when the operator of a row changes: kept where it can be. */
export function changeOperator(row: Row, operator: Operator): Row {
  const list = Array.isArray(row.value) ? row.value : [row.value];
  const many = operator === "in" || operator === "notIn";
  return { ...row, operator, value: many ? list : (list[0] ?? "") };
}
