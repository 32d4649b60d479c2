// The keys of the grid. Those that move or press answer only while the table has the focus, or nothing has; the others
// anywhere on the page but in dialogs.
import type { RefObject } from "react";
import type { Generation } from "@/api/client";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { type Hotkey, useHotkeys } from "@/lib/hotkeys";
import type { Cell, Cube } from "./cube";
import { firstPosition, type Move, moved, positionOf, slotAt } from "./moves";
import type { Sheet } from "./pivot";
import { comparable, grid, useGrid } from "./store";
import type { Change } from "./useMarks";
import { hoverOver } from "./usePointing";
import { whole, zoomedAt } from "./zoom";

interface Doing {
  cube: Cube;
  sheet: Sheet;
  table: RefObject<HTMLElement | null>;
  search: RefObject<HTMLInputElement | null>;
  /** Lines of one screen. */
  page: () => number;
  open: (id: string) => void;
  compare: (ids: string[]) => void;
  mark: (generation: Generation, change: Change) => Promise<void>;
  clearSearch: () => void;
}

const free = (): boolean => !document.querySelector("[role=dialog][data-state=open], [role=menu][data-state=open]");

function moves(doing: Doing, when: () => boolean): Hotkey[] {
  const { sheet, table } = doing;
  const go = (move: Move) => () => {
    const { active } = useGrid.getState();
    const at = active === undefined ? undefined : positionOf(sheet, active);
    const first = firstPosition(sheet);
    if (!first) return;
    const next = at ? moved(sheet, at, move, doing.page()) : first;
    const cell = slotAt(sheet, next)[next.sub];
    if (!cell) return;
    grid.call(cell.id);
    requestAnimationFrame(() => {
      const element = table.current?.querySelector<HTMLElement>(`[data-cell="${CSS.escape(cell.id)}"]`);
      if (element && useGrid.getState().active === cell.id) hoverOver(element);
    });
  };
  const labels = {
    move: t("grid.keys.move"),
    home: t("grid.keys.home"),
    page: t("grid.keys.page"),
    ends: t("grid.keys.ends"),
  };
  const list: [string, Move, string][] = [
    ["ArrowLeft", "left", labels.move],
    ["ArrowRight", "right", labels.move],
    ["ArrowUp", "up", labels.move],
    ["ArrowDown", "down", labels.move],
    ["Home", "home", labels.home],
    ["End", "end", labels.home],
    ["PageUp", "pageUp", labels.page],
    ["PageDown", "pageDown", labels.page],
    ["Mod+Home", "first", labels.ends],
    ["Mod+End", "last", labels.ends],
  ];
  return list.map(([keys, move, label]) => ({ keys, label, when, run: go(move) }));
}

/** What a key does to the cell that has the keyboard. */
function deeds(doing: Doing, when: () => boolean): Hotkey[] {
  const { cube, sheet, open, mark, compare } = doing;
  const current = (): Cell | undefined => cube.byId.get(useGrid.getState().active ?? "");
  const withCell = (run: (cell: Cell) => void) => () => {
    const cell = current();
    if (cell) run(cell);
  };
  const markIt = withCell((cell) => {
    if (!grid.mark(cell.id)) notify.info(t("grid.atMostFour"));
  });
  const rate = (rating: number) =>
    withCell(({ generation }) => void mark(generation, { rating: generation.rating === rating ? null : rating }));
  return [
    { keys: "Enter", label: t("grid.keys.open"), when, run: withCell((cell) => open(cell.id)) },
    { keys: " ", label: t("grid.keys.select"), when, run: withCell((cell) => grid.select(cell.id)) },
    {
      keys: "Mod+a",
      label: t("grid.keys.selectAll"),
      when,
      run: () => grid.selectAll(sheet.cells.map((cell) => cell.id)),
    },
    ...[1, 2, 3, 4, 5].map((n) => ({
      keys: String(n),
      label: t("grid.keys.rate", { n }),
      when: free,
      run: rate(n),
    })),
    {
      keys: "f",
      label: t("grid.keys.favourite"),
      when: free,
      run: withCell(({ generation }) => void mark(generation, { favourite: !generation.favourite })),
    },
    { keys: "c", label: t("grid.keys.mark"), when: free, run: markIt },
    {
      keys: "Shift+c",
      label: t("grid.keys.compare"),
      when: free,
      run: () => {
        const ids = comparable(useGrid.getState());
        if (ids.length) compare(ids);
        else notify.info(t("grid.compareHint"));
      },
    },
  ];
}

/** Escape puts away one thing at a time. */
function putAway(clearSearch: () => void): void {
  const { hovered, zoomMode, zoom, selected, marks } = useGrid.getState();
  if (hovered) grid.hover(undefined);
  else if (zoomMode || zoom.scale > 1) {
    grid.zoomMode(false);
    grid.zoom(() => whole);
  } else if (selected.size || marks.length) grid.clear();
  else clearSearch();
}

export function useGridKeys(doing: Doing): void {
  const { table, search } = doing;
  const inTable = (): boolean => {
    const focused = document.activeElement;
    return free() && (focused === document.body || focused?.id === "content" || !!table.current?.contains(focused));
  };
  const zoomBy = (factor: number) => () => grid.zoom((zoom) => zoomedAt(zoom, factor, 0.5, 0.5));
  useHotkeys([
    ...moves(doing, inTable),
    ...deeds(doing, inTable),
    { keys: "/", label: t("grid.keys.search"), when: free, run: () => search.current?.focus() },
    { keys: "z", label: t("grid.keys.zoomMode"), when: free, run: () => grid.zoomMode(!useGrid.getState().zoomMode) },
    { keys: "+", label: t("grid.keys.zoomIn"), when: free, run: zoomBy(Math.SQRT2) },
    { keys: "-", label: t("grid.keys.zoomOut"), when: free, run: zoomBy(Math.SQRT1_2) },
    { keys: "0", label: t("grid.keys.zoomReset"), when: free, run: () => grid.zoom(() => whole) },
    {
      keys: "Escape",
      label: t("grid.keys.clear"),
      when: free,
      run: () => putAway(doing.clearSearch),
    },
  ]);
}
