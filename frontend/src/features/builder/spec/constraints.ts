// Rules of an experiment: what they do, and the same as a sentence.
import { type Row, rowsOf } from "./condition";
import { type FormConstraint, newId } from "./form";

export type Action = "require" | "set" | "drop";
export const actions: Action[] = ["require", "set", "drop"];
type Members = Record<string, unknown>;

export function actionOf(value: Members): Action {
  if (value.drop !== undefined) return "drop";
  return value.set !== undefined ? "set" : "require";
}

export function newConstraint(action: Action, name: string): FormConstraint {
  const where = { [name]: "" };
  if (action === "drop") return { id: newId(), value: { where, drop: true } };
  return { id: newId(), value: { where, [action]: action === "set" ? {} : { steps: { max: 8 } } } };
}

/** Another action under the same condition; a reason goes with `set`, which shows none. */
export function withAction(value: Members, action: Action): Members {
  const { require: _r, set: _s, drop: _d, reason, ...rest } = value;
  const why = reason === undefined || action === "set" ? {} : { reason };
  if (action === "drop") return { ...rest, drop: true, ...why };
  return { ...rest, [action]: action === "set" ? {} : { steps: { max: 8 } }, ...why };
}

interface Words {
  name: (name: string) => string;
  operator: (operator: Row["operator"]) => string;
  and: string;
}

/** "Steps at most 8 and Model is demo". */
export function conditionText(condition: unknown, words: Words): string {
  return rowsOf(condition)
    .map(({ name, operator, value }) => {
      const shown = Array.isArray(value)
        ? value.join(", ")
        : operator === "other"
          ? JSON.stringify(value)
          : String(value);
      return `${words.name(name)} ${words.operator(operator)} ${shown || "…"}`;
    })
    .join(` ${words.and} `);
}

export function setText(set: unknown, name: (name: string) => string): string {
  return Object.entries((set ?? {}) as Members)
    .map(([key, value]) => `${name(key)} = ${String(value) || "…"}`)
    .join(", ");
}
