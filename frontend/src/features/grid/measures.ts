// Numbers that a cell can be sorted and coloured by.
import type { Generation } from "@/api/client";
import { formatBytes, formatSeconds, t } from "@/i18n";
import type { Cell, Cube } from "./cube";

export const measures = [
  "sharpness",
  "contrast",
  "colourfulness",
  "seconds",
  "steps_per_second",
  "memory",
  "ssim",
  "ms_ssim",
  "psnr",
  "ssim_neighbour",
  "psnr_neighbour",
] as const;
export type Measure = (typeof measures)[number];

export const isMeasure = (name: string): name is Measure => (measures as readonly string[]).includes(name);
/** These compare pictures with each other: the server makes them when they are asked for. */
export const isCompared = (name: string | undefined): boolean => /^-?(ms_)?(ssim|psnr)/.test(name ?? "");

/** What the server measured when asked, by generation. */
export type Measured = ReadonlyMap<string, Record<string, unknown>>;
export const nothingMeasured: Measured = new Map();

/** Equal pictures have an infinite ratio; the analysis counts them as 100 dB, and so does this. */
const EQUAL_DECIBEL = 100;

function number(value: unknown): number | undefined {
  if (value === "infinity") return EQUAL_DECIBEL;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function measureOf(generation: Generation, name: Measure, measured: Measured = nothingMeasured) {
  const { generation_time: seconds, memory_used: memory } = generation;
  const made: Record<string, unknown> = { ...generation.measures, ...measured.get(generation.id) };
  const stored = number(made[name]);
  if (stored !== undefined) return stored;
  if (name === "seconds") return number(seconds);
  if (name === "memory") return number(memory);
  if (name === "steps_per_second" && seconds) return generation.steps / seconds;
  return undefined;
}

export const measureTitle = (name: Measure): string => t(`common.measure.${name}`);

export function formatMeasure(name: Measure, value: number): string {
  if (name === "seconds") return formatSeconds(value);
  if (name === "memory") return formatBytes(value);
  if (name.startsWith("psnr")) return value >= EQUAL_DECIBEL ? t("grid.equal") : `${value.toFixed(1)} dB`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1000 || size < 0.001 ? value.toPrecision(3) : String(Number(value.toPrecision(3)));
}

/** Fields besides axes and measures that a list is sorted by. */
export const plainFields = [
  "model",
  "sampler",
  "schedule",
  "steps",
  "cfg_scale",
  "seed",
  "prompt",
  "width",
  "height",
] as const;
export const stateFields = ["rating", "favourite", "status", "generated_at"] as const;

type Sortable = number | string | undefined;

/** An axis sorts in its own order; of the rest numbers as numbers, texts as texts. */
export function fieldOf(cube: Cube, cell: Cell, field: string, measured: Measured): Sortable {
  if (isMeasure(field)) return measureOf(cell.generation, field, measured);
  const axis = cube.axes.findIndex((one) => one.name === field);
  if (axis >= 0) return cell.at[axis];
  const value = (cell.generation as unknown as Record<string, unknown>)[field];
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" || typeof value === "string" ? value : undefined;
}
