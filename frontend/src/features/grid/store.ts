// What the hand does in the grid and no link needs to tell: the cell that has the keyboard, what is under the pointer,
// selection, marks to compare, zoom.
import { create } from "zustand";
import { whole, type Zoom } from "./zoom";

export const MOST_COMPARED = 4;

export interface Hovered {
  id: string;
  /** Of the cell, in the window. */
  box: { left: number; top: number; right: number; bottom: number };
}

interface GridState {
  active: string | undefined;
  /** Counts how often the keyboard asked for the active cell: then it is scrolled to and focused. */
  called: number;
  hovered: Hovered | undefined;
  selected: ReadonlySet<string>;
  marks: readonly string[];
  zoom: Zoom;
  zoomMode: boolean;
}

const initial: GridState = {
  active: undefined,
  called: 0,
  hovered: undefined,
  selected: new Set(),
  marks: [],
  zoom: whole,
  zoomMode: false,
};

export const useGrid = create<GridState>(() => initial);

export const grid = {
  reset: () => useGrid.setState(initial),
  activate: (active: string | undefined) => useGrid.setState({ active }),
  call: (active: string) => useGrid.setState(({ called }) => ({ active, called: called + 1 })),
  hover: (hovered: Hovered | undefined) => {
    if (useGrid.getState().hovered !== hovered) useGrid.setState({ hovered });
  },
  select: (id: string) =>
    useGrid.setState(({ selected }) => {
      const next = new Set(selected);
      if (!next.delete(id)) next.add(id);
      return { selected: next };
    }),
  selectAll: (ids: Iterable<string>) => useGrid.setState({ selected: new Set(ids) }),
  clear: () => useGrid.setState({ selected: new Set(), marks: [] }),
  /** False when four are marked already. */
  mark: (id: string): boolean => {
    const { marks } = useGrid.getState();
    if (!marks.includes(id) && marks.length >= MOST_COMPARED) return false;
    useGrid.setState({ marks: marks.includes(id) ? marks.filter((one) => one !== id) : [...marks, id] });
    return true;
  },
  zoom: (change: (zoom: Zoom) => Zoom) => useGrid.setState(({ zoom }) => ({ zoom: change(zoom) })),
  zoomMode: (zoomMode: boolean) => useGrid.setState({ zoomMode }),
};

/** What "Compare" would compare: the marks, else a selection of two to four. */
export function comparable({ marks, selected }: Pick<GridState, "marks" | "selected">): string[] {
  if (marks.length >= 2) return [...marks];
  return selected.size >= 2 && selected.size <= MOST_COMPARED ? [...selected] : [];
}
