// The flat, sorted list. Its order is kept while cells arrive and are rated, until the sorting itself is changed or
// asked for again.
import { useMemo, useState } from "react";
import type { Cube } from "./cube";
import type { Measured } from "./measures";
import { chosenCells, keepOrder, listSheet, type Sheet, sorted } from "./pivot";
import type { View } from "./view";

export interface List {
  sheet: Sheet;
  /** The order is no longer what sorting would make of it. */
  stale: boolean;
  again: () => void;
}

export function useList(cube: Cube, view: View, measured: Measured, columns: number): List {
  const { sort, group } = view;
  const now = useMemo(
    () => (sort ? sorted(cube, chosenCells(cube, view), sort, measured) : []),
    [cube, view, sort, measured],
  );
  // More pages and more measures are no events that one watches: then all is sorted.
  const key = [sort, group, view.q, view.status, view.rating, view.favourite, cube.cells.length, measured.size].join(
    "\n",
  );
  const [kept, setKept] = useState<{ key: string; ids: string[] }>({ key: "", ids: [] });
  const fresh = { key, ids: now.map((cell) => cell.id) };
  if (kept.key !== key) setKept(fresh);
  const { cells, changed } = useMemo(
    () => (kept.key === key ? keepOrder(kept.ids, now) : { cells: now, changed: 0 }),
    [kept, key, now],
  );
  const sheet = useMemo(() => listSheet(cube, cells, columns, group), [cube, cells, columns, group]);
  return { sheet, stale: sort !== undefined && changed > 0, again: () => setKept(fresh) };
}
