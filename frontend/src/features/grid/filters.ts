// Which cells pass search and filters.
import type { Generation } from "@/api/client";
import type { Cell, Cube } from "./cube";
import type { View } from "./view";

const haystacks = new WeakMap<Generation, string>();

/** All words that a cell is found by: what it was drawn with, its labels, tags, and why it failed. */
function haystack(cube: Cube, cell: Cell): string {
  const known = haystacks.get(cell.generation);
  if (known !== undefined) return known;
  const one = cell.generation;
  const text = [
    ...cube.axes.map((axis, i) => axis.values[cell.at[i] ?? 0]?.label ?? ""),
    one.prompt,
    one.negative_prompt ?? "",
    one.model,
    one.sampler,
    one.schedule,
    String(one.seed),
    ...one.tags,
    one.error?.message ?? "",
  ]
    .join("\n")
    .toLowerCase();
  haystacks.set(one, text);
  return text;
}

type Filter = Pick<View, "q" | "status" | "rating" | "favourite">;

export function makeFilter(cube: Cube, { q, status, rating, favourite }: Filter): (cell: Cell) => boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return (cell) => {
    const one = cell.generation;
    if (status && one.status !== status) return false;
    if (rating && (one.rating ?? 0) < rating) return false;
    if (favourite && !one.favourite) return false;
    if (!words.length) return true;
    const text = haystack(cube, cell);
    return words.every((word) => text.includes(word));
  };
}
