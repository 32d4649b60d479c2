// Cells that were not drawn, by their reason: a thousand cells usually fail for one.
import type { Generation } from "@/api/client";

export interface Trouble {
  status: "failed" | "cancelled" | "impossible";
  reason: string;
  cells: Generation[];
}

const order = ["failed", "cancelled", "impossible"];
const isTrouble = (status: Generation["status"]): status is Trouble["status"] => order.includes(status);

export function troubles(cells: readonly Generation[]): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const cell of cells) {
    if (!isTrouble(cell.status)) continue;
    const reason = cell.status === "cancelled" ? "" : (cell.error?.message ?? "");
    const key = `${cell.status} ${reason}`;
    const trouble = found.get(key);
    if (trouble) trouble.cells.push(cell);
    else found.set(key, { status: cell.status, reason, cells: [cell] });
  }
  return [...found.values()].sort(
    (a, b) => order.indexOf(a.status) - order.indexOf(b.status) || b.cells.length - a.cells.length,
  );
}

/** The picture that was finished last. */
export function latestOf(cells: readonly Generation[]): Generation | undefined {
  let latest: Generation | undefined;
  for (const cell of cells)
    if (cell.image && cell.generated_at && (!latest?.generated_at || cell.generated_at > latest.generated_at))
      latest = cell;
  return latest;
}
