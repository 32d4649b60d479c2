// Where a cell stands on the axes. A coordinate is a value, or a label (named settings), or one value per parameter of
// a zipped axis; the axes list them with labels.
import type { Generation, Schemas } from "@/api/client";
import { type MessageKey, t } from "@/i18n";
import { en } from "@/i18n/en";

export type Axis = Schemas["AxisValues"];

/** The name of a parameter as it is shown; axes with names of their own keep them. */
export const axisName = (name: string): string =>
  name in en.common.parameter ? t(`common.parameter.${name}` as MessageKey) : name;

function text(value: unknown): string {
  if (typeof value === "object" && value !== null) return Object.values(value).map(String).join(", ");
  return String(value);
}

/** Text of a coordinate to its place on the axis. */
export function placesOf(axis: Axis): Map<string, number> {
  const places = new Map<string, number>();
  axis.values.forEach(({ label, value }, index) => {
    if (value !== undefined && value !== null && !places.has(text(value))) places.set(text(value), index);
    if (!places.has(label)) places.set(label, index);
  });
  return places;
}

export function placeOf(places: Map<string, number>, coordinate: unknown): number {
  return places.get(text(coordinate)) ?? -1;
}

/** "Sampler euler, Steps 20": of a setting, or of a cell's axes. */
export function describeSetting(setting: Record<string, unknown>, axes: readonly Axis[]): string {
  return Object.entries(setting)
    .map(([name, value]) => {
      const axis = axes.find((one) => one.name === name);
      const label = axis?.values[placeOf(placesOf(axis), value)]?.label;
      return `${axisName(name)} ${label ?? text(value)}`;
    })
    .join(", ");
}

export function describeCell(cell: Pick<Generation, "axes" | "seed">, axes: readonly Axis[]): string {
  return `${describeSetting(cell.axes ?? {}, axes)}, ${axisName("seed")} ${cell.seed}`.replace(/^, /, "");
}

/** Whether a cell has this setting: the axes that it leaves out may be anything. */
export function hasSetting(cell: Pick<Generation, "axes">, setting: Record<string, unknown>): boolean {
  return Object.entries(setting).every(([name, value]) => cell.axes != null && text(cell.axes[name]) === text(value));
}
