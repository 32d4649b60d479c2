// The cells of a run as a cube: every cell knows its place on every axis as a number, so that pivots, filters and
// sections are array look-ups however many cells there are. Replicates are one more axis.
import type { Generation, Schemas } from "@/api/client";
import { type MessageKey, t } from "@/i18n";
import { common } from "@/i18n/en/common";

export interface AxisValue {
  label: string;
  value?: unknown;
}

export interface Axis {
  name: string;
  title: string;
  numeric: boolean;
  values: AxisValue[];
}

export interface Cell {
  id: string;
  /** In the order of the axes. */
  index: number;
  /** Per axis of the cube: index of its value. */
  at: readonly number[];
  generation: Generation;
}

export interface Cube {
  axes: Axis[];
  cells: Cell[];
  byId: ReadonlyMap<string, Cell>;
  /** Cells that the run has; more than `cells` while pages are still coming. */
  total: number;
}

export type GridPage = Schemas["Grid"];

export const REPLICATE = "replicate";
export const emptyCube: Cube = { axes: [], cells: [], byId: new Map(), total: 0 };

export function parameterTitle(name: string): string {
  return name in common.parameter ? t(`common.parameter.${name}` as MessageKey) : name;
}

/** What a coordinate of a cell is called among the values of its axis: settings by label, zips by their parts. */
function keysOf(value: unknown): string[] {
  if (typeof value === "object" && value !== null)
    return [`l:${Object.values(value).map(String).join(", ")}`, `v:${JSON.stringify(value)}`];
  return [`v:${JSON.stringify(value ?? null)}`, `l:${String(value)}`];
}

class Places {
  private readonly known = new Map<string, number>();
  constructor(private readonly values: AxisValue[]) {
    values.forEach((one, i) => {
      this.known.set(`l:${one.label}`, i);
    });
    values.forEach((one, i) => {
      if (one.value !== undefined) this.known.set(`v:${JSON.stringify(one.value)}`, i);
    });
  }
  of(value: unknown): number {
    const keys = keysOf(value);
    for (const key of keys) {
      const found = this.known.get(key);
      if (found !== undefined) return found;
    }
    const [first = "", second = ""] = keys;
    const place = this.values.push({ label: (first.startsWith("l:") ? first : second).slice(2), value }) - 1;
    for (const key of keys) this.known.set(key, place);
    return place;
  }
}

/** A full product is counted off: the last axis, then the replicate, goes fastest. */
function counted(sizes: readonly number[], index: number): number[] {
  const at: number[] = new Array(sizes.length);
  let rest = index;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i] ?? 1;
    at[i] = rest % size;
    rest = Math.floor(rest / size);
  }
  return at;
}

// A cell that has not changed keeps its object, so that what is drawn of it need not be drawn again.
const remembered = new WeakMap<Generation, Cell>();

function cellOf(generation: Generation, index: number, at: () => number[]): Cell {
  const old = remembered.get(generation);
  if (old && old.index === index) return old;
  const cell = { id: generation.id, index, at: at(), generation };
  remembered.set(generation, cell);
  return cell;
}

/** A replicate is its seed, when that is the same all over the grid. */
function replicateAxis(count: number, items: Generation[]): Axis {
  const seeds = new Map<number, Set<string>>();
  for (const one of items) {
    const set = seeds.get(one.replicate ?? 0) ?? new Set();
    seeds.set(one.replicate ?? 0, set.add(String(one.seed)));
  }
  const label = (i: number): string => {
    const [seed, ...others] = seeds.get(i) ?? [];
    return seed !== undefined && !others.length ? t("grid.seed", { seed }) : String(i + 1);
  };
  const values = Array.from({ length: count }, (_, i) => ({ label: label(i), value: i }));
  return { name: REPLICATE, title: parameterTitle(REPLICATE), numeric: false, values };
}

export function makeCube(pages: readonly GridPage[]): Cube {
  const [first] = pages;
  if (!first) return emptyCube;
  const items = pages.flatMap((page) => page.items);
  const axes: Axis[] = first.axes.map((axis) => ({
    name: axis.name,
    title: axis.parameter === axis.name ? parameterTitle(axis.name) : axis.name,
    numeric: axis.numeric ?? false,
    values: axis.values.map((one) => ({ label: one.label, value: one.value })),
  }));
  const replicates = first.replicates ?? 1;
  if (replicates > 1) axes.push(replicateAxis(replicates, items));
  const sizes = axes.map((axis) => axis.values.length);
  const full = first.run.total === sizes.reduce((product, size) => product * size, 1);
  const places = axes.map((axis) => new Places(axis.values));
  const byId = new Map<string, Cell>();
  const cells = items.map((generation, order) => {
    const index = generation.cell ?? order;
    const cell = cellOf(generation, index, () =>
      full
        ? counted(sizes, index)
        : axes.map((axis, i) =>
            axis.name === REPLICATE && i >= first.axes.length
              ? (generation.replicate ?? 0)
              : (places[i]?.of(generation.axes?.[axis.name]) ?? 0),
          ),
    );
    byId.set(cell.id, cell);
    return cell;
  });
  return { axes, cells, byId, total: Math.max(first.run.total, cells.length) };
}

export const axisIndex = (cube: Pick<Cube, "axes">, name: string | undefined): number =>
  name === undefined ? -1 : cube.axes.findIndex((axis) => axis.name === name);

/** "Sampler euler, Steps 20": what a cell is. */
export function describe(cube: Cube, cell: Cell, without: ReadonlySet<string> = new Set()): string {
  return cube.axes
    .map((axis, i) => (without.has(axis.name) ? "" : `${axis.title} ${axis.values[cell.at[i] ?? 0]?.label ?? ""}`))
    .filter(Boolean)
    .join(", ");
}
