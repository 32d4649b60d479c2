// The geometry of the small picture of a grid: columns and rows are the values of two axes, and within a block stand
// the cells of all other axes and replicates, packed into a square.
import type { Generation } from "@/api/client";
import { type Axis, placeOf, placesOf } from "@/features/experiment/coordinates";

export interface Placed {
  cell: Generation;
  /** In cells, over all blocks. */
  x: number;
  y: number;
}

export interface Fill {
  columns: string[];
  rows: string[];
  /** Cells of a block, side by side and one below the other. */
  across: number;
  down: number;
  placed: Placed[];
}

const one = [""];
const labels = (axis: Axis | undefined) => axis?.values.map((value) => value.label) ?? one;

export function arrange(cells: readonly Generation[], column: Axis | undefined, row: Axis | undefined): Fill {
  const columnPlaces = column && placesOf(column);
  const rowPlaces = row && placesOf(row);
  const width = labels(column).length;
  const counts = new Map<number, number>();
  const slots = cells.map((cell) => {
    const x = column && columnPlaces ? placeOf(columnPlaces, cell.axes?.[column.name]) : 0;
    const y = row && rowPlaces ? placeOf(rowPlaces, cell.axes?.[row.name]) : 0;
    const slot = counts.get(y * width + x) ?? 0;
    counts.set(y * width + x, slot + 1);
    return { cell, x, y, slot };
  });
  const most = Math.max(1, ...counts.values());
  const across = Math.ceil(Math.sqrt(most));
  const down = Math.ceil(most / across);
  const placed = slots
    .filter(({ x, y }) => x >= 0 && y >= 0)
    .map(({ cell, x, y, slot }) => ({
      cell,
      x: x * across + (slot % across),
      y: y * down + Math.floor(slot / across),
    }));
  return { columns: labels(column), rows: labels(row), across, down, placed };
}

export interface Geometry {
  /** CSS pixels of a cell, of the space between blocks, of the labels. */
  size: number;
  gap: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

const SMALLEST = 3;
const LARGEST = 72;

/** As large as the box allows; where it allows less than can be seen, wider than the box. */
export function geometry(fill: Fill, boxWidth: number, boxHeight: number): Geometry {
  const columns = fill.columns.length;
  const rows = fill.rows.length;
  const left = rows > 1 || fill.rows[0] ? Math.min(96, boxWidth / 4) : 0;
  const top = columns > 1 || fill.columns[0] ? 18 : 0;
  const gap = columns * fill.across > boxWidth / 8 ? 1 : 4;
  const fitWidth = (boxWidth - left - gap * columns) / (columns * fill.across);
  const fitHeight = (boxHeight - top - gap * rows) / (rows * fill.down);
  const size = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(Math.min(fitWidth, fitHeight))));
  return {
    size,
    gap,
    left,
    top,
    width: left + columns * (fill.across * size + gap),
    height: top + rows * (fill.down * size + gap),
  };
}

export const cornerOf = (fill: Fill, g: Geometry, { x, y }: { x: number; y: number }): [number, number] => [
  g.left + x * g.size + Math.floor(x / fill.across) * g.gap,
  g.top + y * g.size + Math.floor(y / fill.down) * g.gap,
];

/** The cell at a point of the canvas. */
export function hit(fill: Fill, g: Geometry, px: number, py: number): Placed | undefined {
  return fill.placed.find((placed) => {
    const [x, y] = cornerOf(fill, g, placed);
    return px >= x && px < x + g.size && py >= y && py < y + g.size;
  });
}

/** The nearest cell in the direction of an arrow key, in the same row or column first. */
export function step(placed: readonly Placed[], from: Placed, dx: number, dy: number): Placed {
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of placed) {
    const along = (candidate.x - from.x) * dx + (candidate.y - from.y) * dy;
    const aside = Math.abs((candidate.x - from.x) * dy) + Math.abs((candidate.y - from.y) * dx);
    const distance = along + aside * 1000;
    if (along > 0 && distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Columns are best of numbers, which have an order that can be seen; rows are the first axis that is left. */
export function defaultAxes(axes: readonly Axis[]): { column: string | undefined; row: string | undefined } {
  const many = axes.filter((axis) => axis.values.length > 1);
  const column = many.findLast((axis) => axis.numeric) ?? many.at(-1);
  const row =
    many.find((axis) => axis !== column && axis.parameter !== "prompt") ?? many.find((axis) => axis !== column);
  return { column: column?.name, row: row?.name };
}
