// What is told about a cell under the pointer or the keyboard: its axes first, then other parameters, then measures.
import type { Generation } from "@/api/client";
import { formatNumber, t } from "@/i18n";
import { type Cell, type Cube, parameterTitle } from "./cube";
import { formatMeasure, type Measured, measureOf, measures, measureTitle } from "./measures";

export interface Fact {
  title: string;
  text: string;
}

const told = ["model", "sampler", "schedule", "steps", "cfg_scale", "seed"] as const;

const written = (value: Generation[(typeof told)[number]]): string =>
  typeof value === "number" && !Number.isInteger(value) ? formatNumber(value) : String(value);

export function parametersOf(cube: Cube, cell: Cell): Fact[] {
  const axes = cube.axes.map((axis, i) => ({ title: axis.title, text: axis.values[cell.at[i] ?? 0]?.label ?? "" }));
  const names = new Set(cube.axes.map((axis) => axis.name));
  const others = told
    .filter((name) => !names.has(name))
    .map((name) => ({ title: parameterTitle(name), text: written(cell.generation[name]) }));
  const size = cell.generation.image ?? cell.generation;
  const sized = { title: t("grid.pictureSize"), text: `${size.width} × ${size.height}` };
  return [...axes, ...others, ...(names.has("width") ? [] : [sized])];
}

export function measuresOf(cell: Cell, measured: Measured): Fact[] {
  return measures.flatMap((name) => {
    const value = measureOf(cell.generation, name, measured);
    if (value === undefined) return [];
    return [{ title: measureTitle(name), text: formatMeasure(name, value) }];
  });
}
