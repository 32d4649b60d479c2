// What the analysis is asked for, in the address: ?measure=psnr&tolerance=0.1&reference=...&run=2.
import type { AnalysisChoice, Measure } from "@/features/experiment/queries";

export const measures = [
  "ssim",
  "ms_ssim",
  "psnr",
  "ssim_neighbour",
  "psnr_neighbour",
  "sharpness",
  "contrast",
  "colourfulness",
  "seconds",
  "steps_per_second",
  "memory",
] as const satisfies readonly Measure[];

export const TOLERANCE = 0.05;
const MOST_STEPS = "most_steps";

const isMeasure = (text: string | null): text is Measure => measures.some((measure) => measure === text);

export function parseChoice(search: URLSearchParams): AnalysisChoice {
  const measure = search.get("measure");
  const tolerance = Number(search.get("tolerance") ?? Number.NaN);
  const run = Number(search.get("run"));
  const reference = search.get("reference");
  return {
    ...(run ? { run } : {}),
    ...(isMeasure(measure) ? { measure } : {}),
    ...(tolerance >= 0 && tolerance <= 1 ? { tolerance } : {}),
    ...(reference && reference !== MOST_STEPS ? { reference } : {}),
  };
}

/** An address with one choice changed; undefined takes it back to what is usual. */
export function withChoice(search: URLSearchParams, key: string, value: string | undefined): URLSearchParams {
  const next = new URLSearchParams(search);
  if (value === undefined || value === "") next.delete(key);
  else next.set(key, value);
  return next;
}
