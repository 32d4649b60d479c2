// The gallery's filter: what the address says, what the API is asked, what the chips read. Pure.
import type { GenerationFilter } from "@/api/queries";

/** Parameters of the address, in the order of the chips. They are the API's own, so a link reads like a question. */
export const filterKeys = [
  "q",
  "model",
  "sampler",
  "steps",
  "cfg_scale",
  "seed",
  "status",
  "rating_min",
  "favourite",
  "tag",
  "created_after",
  "created_before",
  "experiment_id",
] as const;
export type FilterKey = (typeof filterKeys)[number];

export const sorts = ["-created", "created", "-rating", "steps", "time"] as const;
export type Sort = (typeof sorts)[number];

export const statuses = ["succeeded", "running", "queued", "failed", "cancelled", "impossible"] as const;

const numeric: ReadonlySet<string> = new Set(["steps", "cfg_scale", "rating_min"]);
const day = /^\d{4}-\d{2}-\d{2}$/;

/** Days of the address are the reader's days; the API wants instants. The last day is meant to its end. */
function instant(text: string, days: number): string | undefined {
  if (!day.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString();
  const date = new Date(`${text}T00:00:00`);
  date.setDate(date.getDate() + days);
  return date.toISOString();
}

function read(key: FilterKey, text: string): unknown {
  if (numeric.has(key)) return Number.isNaN(Number(text)) ? undefined : Number(text);
  if (key === "favourite") return text === "true";
  if (key === "created_after") return instant(text, 0);
  if (key === "created_before") return instant(text, 1);
  if (key === "status") return (statuses as readonly string[]).includes(text) ? text : undefined;
  if (key === "seed") return /^\d{1,20}$/.test(text) ? text : undefined;
  return text;
}

export function filterOf(search: URLSearchParams): GenerationFilter {
  const entries: [string, unknown][] = [];
  for (const key of filterKeys) {
    const text = search.get(key);
    const value = text ? read(key, text) : undefined;
    if (value !== undefined) entries.push([key, value]);
  }
  const sort = sortOf(search);
  if (sort !== "-created") entries.push(["sort", sort]);
  return Object.fromEntries(entries) as GenerationFilter;
}

export function sortOf(search: URLSearchParams): Sort {
  const sort = search.get("sort");
  return sorts.find((one) => one === sort) ?? "-created";
}

/** What is set, for the chips. */
export const activeFilters = (search: URLSearchParams): [FilterKey, string][] =>
  filterKeys.flatMap((key) => {
    const value = search.get(key);
    return value ? [[key, value] as [FilterKey, string]] : [];
  });

/** The address with changes; empty takes a parameter out. The rest (?view, ?compare) stays. */
export function withParameters(old: URLSearchParams, change: Record<string, string | undefined>): URLSearchParams {
  const next = new URLSearchParams(old);
  for (const [key, value] of Object.entries(change))
    if (value) next.set(key, value);
    else next.delete(key);
  return next;
}
