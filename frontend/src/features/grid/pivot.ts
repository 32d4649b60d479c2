// Cube and view to what is drawn: columns and lines of slots. A slot holds no cell (there is none, or the filter hides
// it), one, or several side by side.
import { axisIndex, type Cell, type Cube } from "./cube";
import { makeFilter } from "./filters";
import { fieldOf, type Measured } from "./measures";
import { isFiltered, type View } from "./view";

export type Slot = readonly Cell[];

export interface Section {
  kind: "section";
  title: string;
  count: number;
}
export interface Row {
  kind: "row";
  title: string;
  slots: Slot[];
}
export type Line = Section | Row;

export interface Sheet {
  columns: string[];
  lines: Line[];
  /** Every cell shown, as one reads. */
  cells: Cell[];
  /** Cells of the widest slot: how finely slots are divided. */
  most: number;
}

export interface Group {
  title: string;
  cells: Cell[];
}

type KeyOf = (cell: Cell) => number;
const fields = ["model", "sampler", "steps"] as const;

/** Sections by an axis, in its order, or by a field, in the order of its values. */
function grouping(cube: Cube, cells: readonly Cell[], group: string | undefined): { titles: string[]; of: KeyOf } {
  const axis = axisIndex(cube, group);
  if (axis >= 0)
    return { titles: cube.axes[axis]?.values.map((one) => one.label) ?? [], of: (cell) => cell.at[axis] ?? 0 };
  const field = fields.find((one) => one === group);
  if (!field) return { titles: [""], of: () => 0 };
  const values = [...new Set(cells.map((cell) => cell.generation[field]))].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)),
  );
  const places = new Map(values.map((value, i) => [value, i]));
  return { titles: values.map(String), of: (cell) => places.get(cell.generation[field]) ?? 0 };
}

/** Cells that pass filters and choosers. In a list (`sort`) only the filters count. */
export function chosenCells(cube: Cube, view: View): Cell[] {
  const passes = isFiltered(view) ? makeFilter(cube, view) : undefined;
  const wanted = cube.axes.map((axis) => {
    if (view.sort || axis.name === view.rows || axis.name === view.cols || axis.name === view.group) return -1;
    if (axis.name === view.tabs) return view.tab;
    const at = view.at.get(axis.name) ?? 0;
    return at === "all" ? -1 : at;
  });
  return cube.cells.filter((cell) => {
    for (let i = 0; i < wanted.length; i++) if (wanted[i] !== -1 && wanted[i] !== cell.at[i]) return false;
    return !passes || passes(cell);
  });
}

/** Axis of a role as look-ups; an absent one is a single unnamed place. */
function side(cube: Cube, name: string | undefined): { labels: string[]; of: KeyOf } {
  const axis = axisIndex(cube, name);
  if (axis < 0) return { labels: [""], of: () => 0 };
  return { labels: cube.axes[axis]?.values.map((one) => one.label) ?? [], of: (cell) => cell.at[axis] ?? 0 };
}

/**
 * Empty rows and columns are left out once it is certain that they are: while pages still come, leaving them out
 * would move what one looks at.
 */
export function pivot(cube: Cube, view: View): Sheet {
  const cells = chosenCells(cube, view);
  const rows = side(cube, view.rows);
  const cols = side(cube, view.cols);
  const groups = grouping(cube, cube.cells, view.group);
  const settled = isFiltered(view) || cube.cells.length >= cube.total;
  const width = cols.labels.length;
  const height = rows.labels.length;
  const slots: Cell[][] = new Array(groups.titles.length * height * width);
  const usedColumns = new Uint8Array(width);
  const usedLines = new Uint8Array(groups.titles.length * height);
  let most = 1;
  for (const cell of cells) {
    const line = groups.of(cell) * height + rows.of(cell);
    const column = cols.of(cell);
    const place = line * width + column;
    usedColumns[column] = 1;
    usedLines[line] = 1;
    const slot = slots[place];
    if (!slot) slots[place] = [cell];
    else most = Math.max(most, slot.push(cell));
  }
  const columns = cols.labels.flatMap((_, i) => (usedColumns[i] || !settled ? [i] : []));
  const lines: Line[] = [];
  const shown: Cell[] = [];
  groups.titles.forEach((title, g) => {
    const section: Section = { kind: "section", title, count: 0 };
    if (view.group) lines.push(section);
    for (let r = 0; r < height; r++) {
      const line = g * height + r;
      if (!usedLines[line] && (settled || view.group)) continue;
      const own = columns.map((column) => slots[line * width + column] ?? []);
      for (const slot of own) {
        section.count += slot.length;
        for (const cell of slot) shown.push(cell);
      }
      lines.push({ kind: "row", title: rows.labels[r] ?? "", slots: own });
    }
    if (view.group && !section.count) lines.pop();
  });
  return { columns: columns.map((i) => cols.labels[i] ?? ""), lines, cells: shown, most };
}

/** Cells by a field; those without a value come last either way. Equal ones stay in the order of the axes. */
export function sorted(cube: Cube, cells: readonly Cell[], sort: string, measured: Measured): Cell[] {
  const down = sort.startsWith("-");
  const field = down ? sort.slice(1) : sort;
  const keyed = cells.map((cell) => ({ cell, key: fieldOf(cube, cell, field, measured) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return a.cell.index - b.cell.index;
    if (a.key === undefined) return 1;
    if (b.key === undefined) return -1;
    const order =
      typeof a.key === "number" && typeof b.key === "number"
        ? a.key - b.key
        : String(a.key).localeCompare(String(b.key), undefined, { numeric: true });
    return (down ? -order : order) || a.cell.index - b.cell.index;
  });
  return keyed.map(({ cell }) => cell);
}

/**
 * A list that is looked at does not move when cells arrive or are rated: those listed before keep their places, what
 * is new comes after them. `changed` says how many are not where sorting would put them.
 */
export function keepOrder(before: readonly string[], now: readonly Cell[]): { cells: Cell[]; changed: number } {
  const byId = new Map(now.map((cell) => [cell.id, cell]));
  const kept: Cell[] = [];
  for (const id of before) {
    const cell = byId.get(id);
    if (cell) {
      kept.push(cell);
      byId.delete(id);
    }
  }
  const cells = [...kept, ...byId.values()];
  let changed = 0;
  for (let i = 0; i < now.length; i++) if (cells[i] !== now[i]) changed++;
  return { cells, changed };
}

export function groupsOf(cube: Cube, cells: readonly Cell[], group: string | undefined): Group[] {
  const { titles, of } = grouping(cube, cube.cells, group);
  const groups: Group[] = titles.map((title) => ({ title, cells: [] }));
  for (const cell of cells) groups[of(cell)]?.cells.push(cell);
  return groups.filter((one) => one.cells.length > 0);
}

/** A list in lines of `columns` cells, with sections where there are groups. */
export function listSheet(cube: Cube, cells: readonly Cell[], columns: number, group: string | undefined): Sheet {
  const lines: Line[] = [];
  const shown: Cell[] = [];
  for (const one of groupsOf(cube, cells, group)) {
    if (group) lines.push({ kind: "section", title: one.title, count: one.cells.length });
    for (let i = 0; i < one.cells.length; i += columns) {
      const slots = one.cells.slice(i, i + columns).map((cell) => [cell]);
      lines.push({ kind: "row", title: "", slots });
    }
    for (const cell of one.cells) shown.push(cell);
  }
  return { columns: new Array(columns).fill(""), lines, cells: shown, most: 1 };
}
