// The values of an axis, as they are written (a list, a range, a text) and as they are meant. The same rules as the
// server's, so that chips appear while somebody types; what the server says counts.
import { isNumeric, type Kind } from "./parameters";

export type Scalar = string | number | boolean;
export interface Item {
  value?: Scalar;
  label?: string;
  set?: Record<string, unknown>;
}

/** Names a message of the catalogue: builder.values.problem.*. */
export type ValuesProblem = "number" | "whole" | "step" | "log" | "count" | "many" | "shape";
export interface Read {
  items: Item[];
  problem?: ValuesProblem;
  /** The part of the text that cannot be read. */
  part?: string;
}

const most = 10_000;
const tidy = (x: number, digits: number): number => Number(x.toPrecision(digits));
const numberText = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

interface Range {
  from: number;
  to: number;
  step?: number;
  count?: number;
  log?: boolean;
}

class Unreadable extends Error {
  constructor(
    readonly problem: ValuesProblem,
    readonly part?: string,
  ) {
    super(problem);
  }
}

function spread({ from, to, count = 0, log }: Range): number[] {
  if (!Number.isInteger(count) || count < 2 || count > most) throw new Unreadable("count");
  if (log && (from <= 0 || to <= 0)) throw new Unreadable("log");
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return from;
    if (i === count - 1) return to;
    const t = i / (count - 1);
    return tidy(log ? from * (to / from) ** t : from + (to - from) * t, 5);
  });
}

function stepped({ from, to, step = 0 }: Range): number[] {
  if (step === 0 || !Number.isFinite(step) || (step < 0 && to > from)) throw new Unreadable("step");
  const by = to < from ? -Math.abs(step) : Math.abs(step);
  const count = Math.floor(((to - from) / by) * (1 + 1e-12) + 1e-9) + 1;
  if (!(count <= most)) throw new Unreadable("many");
  return Array.from({ length: count }, (_, i) => (i ? tidy(from + i * by, 12) : from));
}

function rangeValues(range: Range, kind: Kind): number[] {
  if (range.step === undefined) {
    const values = spread(range);
    return kind === "number" ? values : [...new Set(values.map(Math.round))];
  }
  if (kind !== "number" && ![range.from, range.to, range.step].every(Number.isInteger)) throw new Unreadable("whole");
  return stepped(range);
}

function toNumber(text: string, part: string): number {
  if (!numberText.test(text)) throw new Unreadable("number", part);
  return Number(text);
}

/** "10..50 by 5", "1..16 in 5 log", "1..4" (whole numbers only). */
function readRange(part: string, kind: Kind): Range {
  const [from = "", rest = ""] = part.split(/\.\.(.*)/s).map((side) => side.trim());
  const by = /^(.*?)\s*\bby\s+(.*)$/s.exec(rest);
  const spaced = /^(.*?)\s*\bin\s+(.*?)(\s+log)?$/s.exec(rest);
  const ends = (to: string) => ({ from: toNumber(from, part), to: toNumber(to.trim(), part) });
  if (by) return { ...ends(by[1] ?? ""), step: toNumber((by[2] ?? "").trim(), part) };
  if (spaced) return { ...ends(spaced[1] ?? ""), count: toNumber((spaced[2] ?? "").trim(), part), log: !!spaced[3] };
  if (kind === "number") throw new Unreadable("step", part);
  return { ...ends(rest), step: 1 };
}

function readPart(part: string, kind: Kind): Scalar[] {
  if (part.includes("..")) return rangeValues(readRange(part, kind), kind);
  if (kind === "seed" && /^\d{1,20}$/.test(part)) return [Number.isSafeInteger(Number(part)) ? Number(part) : part];
  const number = toNumber(part, part);
  if (kind !== "number" && !Number.isInteger(number)) throw new Unreadable("whole", part);
  return [number];
}

function readText(text: string, kind: Kind): Read {
  const items: Item[] = [];
  // A comma at the end is somebody about to type on.
  for (const part of text.replace(/,\s*$/, "").split(",")) {
    const trimmed = part.trim();
    if (!trimmed && !text.trim()) break;
    try {
      const values = isNumeric(kind) ? readPart(trimmed, kind) : [trimmed];
      for (const value of values) items.push({ value });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return { items, problem: error.problem, part: trimmed };
    }
    if (items.length > most) return { items: items.slice(0, most), problem: "many" };
  }
  return { items };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readObject(range: Record<string, unknown>, kind: Kind): Read {
  const { from, to, step, count, scale } = range;
  if (typeof from !== "number" || typeof to !== "number") return { items: [], problem: "shape" };
  try {
    const values = rangeValues(
      {
        from,
        to,
        step: typeof step === "number" ? step : undefined,
        count: typeof count === "number" ? count : undefined,
        log: scale === "log",
      },
      kind,
    );
    return { items: values.map((value) => ({ value })) };
  } catch (error) {
    if (error instanceof Unreadable) return { items: [], problem: error.problem };
    throw error;
  }
}

/** What is written, value by value. */
export function readValues(values: unknown, kind: Kind): Read {
  if (typeof values === "string") return readText(values, kind);
  if (Array.isArray(values))
    return { items: values.map((one: unknown) => (isObject(one) ? (one as Item) : { value: one as Scalar })) };
  if (isObject(values)) return readObject(values, kind);
  return { items: [], problem: "shape" };
}

/** With a label or settings of its own: it is more than a text field can say. */
export const isRich = (item: Item): boolean => item.label !== undefined || item.set !== undefined;
export const hasRich = (values: unknown): boolean => Array.isArray(values) && values.some(isObject);

/** A list as it is written: plain scalars where nothing more is said. */
export const writeItems = (items: Item[]): unknown[] =>
  items.map((item) => (isRich(item) || item.value === undefined ? item : item.value));

/** What stands in the text field for numbers: the text as typed, a range in words, else the list. */
export function numbersText(values: unknown): string {
  if (typeof values === "string") return values;
  if (Array.isArray(values))
    return values.map((one) => (isObject(one) ? String(one.value ?? "") : String(one))).join(", ");
  if (!isObject(values)) return "";
  const ends = `${values.from ?? ""}..${values.to ?? ""}`;
  if (values.step !== undefined) return `${ends} by ${values.step}`;
  return `${ends} in ${values.count ?? ""}${values.scale === "log" ? " log" : ""}`;
}

/** Without the values at `index`: a text or a range becomes the list of what is left. */
export function withoutValue(values: unknown, kind: Kind, index: number): unknown {
  const left = readValues(values, kind).items.filter((_, i) => i !== index);
  if (!isNumeric(kind) || left.some(isRich)) return writeItems(left);
  return left.map((item) => item.value).join(", ");
}

export const itemLabel = (item: Item): string => item.label ?? String(item.value ?? "");
