// The order of the ranking's rows.
import type { Analysis } from "@/features/experiment/queries";

export type Row = Analysis["ranking"][number];
export type SortKey = "setting" | "y" | "seconds" | "steps_per_second" | "memory" | "n";
export interface Sort {
  key: SortKey;
  down: boolean;
}

function value(row: Row, key: SortKey): number | string | null {
  if (key === "setting") return row.label;
  if (key === "n") return row.y.n;
  return row[key]?.mean ?? null;
}

/** What is not known comes last, whichever way. */
export function sorted(rows: readonly Row[], sort: Sort | undefined): Row[] {
  if (!sort) return [...rows];
  const sign = sort.down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const left = value(a, sort.key);
    const right = value(b, sort.key);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === "string" || typeof right === "string")
      return sign * String(left).localeCompare(String(right), undefined, { numeric: true });
    return sign * (left - right);
  });
}

/** Up, down, and back to the server's order. */
export function nextSort(sort: Sort | undefined, key: SortKey): Sort | undefined {
  const first = key !== "setting" && key !== "seconds" && key !== "memory";
  if (sort?.key !== key) return { key, down: first };
  return sort.down === first ? { key, down: !first } : undefined;
}
