// The grid to come as a small picture: which axis runs down, which across, which opens panels, and the state of each
// cell as the plan's preview has it.
import type { Plan } from "@/api/client";

export const cellStates = ["draw", "existing", "impossible", "dropped", "cut", "unknown"] as const;
export type CellState = (typeof cellStates)[number];

export interface PictureAxis {
  name: string;
  labels: string[];
}
export interface PictureCell {
  /** What is shown when its replicates differ: the state that most matters. */
  state: CellState;
  reason?: string;
}
export interface Panel {
  title: string;
  /** Row after row. */
  cells: PictureCell[];
}
export interface Step {
  panel: number;
  cell: number;
  label: string;
  state: CellState;
  reason?: string;
}
export interface Picture {
  rows?: PictureAxis;
  columns?: PictureAxis;
  panels: Panel[];
  /** Panels, rows and columns that did not fit. */
  hidden: number;
  /** The cells in the order in which they are drawn. */
  steps: Step[];
  /** The preview ended before the last cell. */
  partial: boolean;
}

export interface Limits {
  rows: number;
  columns: number;
  panels: number;
}
export const limits: Limits = { rows: 40, columns: 40, panels: 12 };

type PlanAxis = Plan["axes"][number];
const names: Record<string, CellState> = {
  draw: "draw",
  drawn: "existing",
  existing: "existing",
  impossible: "impossible",
  dropped: "dropped",
  cut: "cut",
};
export const stateOf = (state: string): CellState => names[state] ?? "unknown";

/** Values of the points of axes in lock-step, which the plan names by labels only. */
export type Points = Record<string, unknown[]>;

function indexOf(axis: PlanAxis, points: unknown[] | undefined): (value: unknown) => number {
  const known = new Map<string, number>();
  axis.values.forEach(({ label, value }, index) => {
    const key = JSON.stringify(value ?? points?.[index] ?? label);
    if (!known.has(key)) known.set(key, index);
  });
  return (value) => known.get(JSON.stringify(value)) ?? 0;
}

/** Columns: the last axis, as in the grid itself; rows: the longest of the others; the rest are panels. */
export function arrange(axes: PlanAxis[]): { rows?: PlanAxis; columns?: PlanAxis; tabs: PlanAxis[] } {
  const long = axes.filter((axis) => axis.values.length > 1);
  const columns = long.findLast((axis) => axis.numeric) ?? long.at(-1) ?? axes.at(-1);
  const others = long.filter((axis) => axis !== columns);
  const most = Math.max(0, ...others.map((axis) => axis.values.length));
  const rows = others.find((axis) => axis.values.length === most);
  return { rows, columns, tabs: others.filter((axis) => axis !== rows) };
}

const weight: Record<CellState, number> = { draw: 5, existing: 4, cut: 3, impossible: 2, dropped: 1, unknown: 0 };
const seen = (axis: PlanAxis | undefined, most: number): PictureAxis | undefined =>
  axis && { name: axis.name, labels: axis.values.slice(0, most).map(({ label }) => label) };

function panelTitle(tabs: PlanAxis[], panel: number): string {
  const parts: string[] = [];
  let left = panel;
  for (const axis of [...tabs].reverse()) {
    parts.unshift(axis.values[left % axis.values.length]?.label ?? "");
    left = Math.floor(left / axis.values.length);
  }
  return parts.join(" · ");
}

function emptyPanels(tabs: PlanAxis[], cells: number, most: number): { panels: Panel[]; all: number } {
  const all = tabs.reduce((product, axis) => product * axis.values.length, 1);
  const panels = Array.from({ length: Math.min(all, most) }, (_, panel) => ({
    title: panelTitle(tabs, panel),
    cells: Array.from({ length: cells }, (): PictureCell => ({ state: "unknown" })),
  }));
  return { panels, all };
}

export function makePicture(plan: Plan, points: Points = {}, most: Limits = limits): Picture {
  const { rows, columns, tabs } = arrange(plan.axes);
  const height = Math.min(rows?.values.length ?? 1, most.rows);
  const width = Math.min(columns?.values.length ?? 1, most.columns);
  const { panels, all } = emptyPanels(tabs, height * width, most.panels);
  const coordinates = new Map(plan.axes.map((axis) => [axis.name, indexOf(axis, points[axis.name])]));
  const at = (axes: Record<string, unknown>, axis: PlanAxis | undefined) =>
    axis ? (coordinates.get(axis.name)?.(axes[axis.name]) ?? 0) : 0;
  const steps: Step[] = [];
  for (const cell of plan.preview ?? []) {
    const panel = tabs.reduce((index, axis) => index * axis.values.length + at(cell.axes, axis), 0);
    const row = at(cell.axes, rows);
    const column = at(cell.axes, columns);
    const shown = row < height && column < width ? panels[panel]?.cells[row * width + column] : undefined;
    const state = stateOf(cell.state);
    const reason = cell.reason ?? undefined;
    if (shown && weight[state] >= weight[shown.state]) Object.assign(shown, { state, reason });
    const label = plan.axes.map((axis) => axis.values[at(cell.axes, axis)]?.label ?? "").join(" · ");
    steps.push({ panel: shown ? panel : -1, cell: row * width + column, label, state, reason });
  }
  const hidden =
    Math.max(0, all - most.panels) + (rows?.values.length ?? 1) - height + (columns?.values.length ?? 1) - width;
  const partial = steps.length < plan.cells + plan.dropped;
  return { rows: seen(rows, height), columns: seen(columns, width), panels, hidden, steps, partial };
}

/** What fits into `width` pixels of small text. */
export function shorten(text: string, width: number, perLetter = 6): string {
  const fits = Math.max(1, Math.floor(width / perLetter));
  return text.length <= fits ? text : `${text.slice(0, Math.max(1, fits - 1))}…`;
}
