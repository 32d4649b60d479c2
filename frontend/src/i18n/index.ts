// All words of the app, in one catalogue. `t("grid.cells", { n: 3 })` fills `{n}`; an entry with `one` and `other`
// is chosen by the plural rule of `n`. A translation is a second folder beside `en`.
import { en } from "./en";

type Plural = { one: string; other: string };
type Entry = string | Plural;
type Leaves<T, P extends string = ""> = {
  [K in keyof T & string]: T[K] extends Entry ? `${P}${K}` : Leaves<T[K], `${P}${K}.`>;
}[keyof T & string];

export type MessageKey = Leaves<typeof en>;
export type Values = Record<string, string | number>;

const locale = "en";
/** Made when it is first wanted: Intl's objects load data, some 20 ms each on a phone. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
const rules = once(() => new Intl.PluralRules(locale));

function lookup(key: string): Entry {
  let node: unknown = en;
  for (const part of key.split(".")) node = (node as Record<string, unknown>)[part];
  return node as Entry;
}

export function t(key: MessageKey, values: Values = {}): string {
  const entry = lookup(key);
  const text = typeof entry === "string" ? entry : entry[rules().select(Number(values.n)) === "one" ? "one" : "other"];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? formatNumber(value) : value;
  });
}

const plain = once(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }));
export const formatNumber = (value: number): string => plain().format(value);

/** 1536 -> "1.5 kB"; powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** 3.14159 -> "3.1 s", 75 -> "1 min 15 s", 7300 -> "2 h 2 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 1440
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
/** "3 minutes ago"; `now` for tests. */
export function formatAgo(time: string, now: number = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  for (const [unit, size] of [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ] as const)
    if (Math.abs(seconds) >= size) return relative().format(Math.round(seconds / size), unit);
  return relative().format(Math.round(seconds), "second");
}

const dateTime = once(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }));
export const formatTime = (time: string): string => dateTime().format(new Date(time));
