// What the builder knows of each parameter of a picture: what its values look like, and how its axis may be written short.
import type { Schemas } from "@/api/client";

export type ParameterName = Schemas["SpecParameterName"];

/** `lines`: texts that hold commas, one per line; `names`: chosen from a list; `seed`: whole, and larger than a double holds. */
export type Kind = "lines" | "names" | "whole" | "number" | "seed";

export const kinds: Record<ParameterName, Kind> = {
  prompt: "lines",
  negative_prompt: "lines",
  model: "names",
  sampler: "names",
  schedule: "names",
  spacing: "names",
  steps: "whole",
  cfg_scale: "number",
  seed: "seed",
  width: "whole",
  height: "whole",
  eta: "number",
  rng: "names",
  clip_skip: "whole",
  guidance_rescale: "number",
  strength: "number",
  init_image: "lines",
  mask: "lines",
  original_width: "whole",
  original_height: "whole",
  crop_left: "whole",
  crop_top: "whole",
  target_width: "whole",
  target_height: "whole",
};

export const parameterNames = Object.keys(kinds) as ParameterName[];
export const isParameter = (name: string): name is ParameterName => Object.hasOwn(kinds, name);
export const isNumeric = (kind: Kind): boolean => kind === "whole" || kind === "number" || kind === "seed";

/** Of a parameter, a variable or anything else that a condition or an axis names. */
export const kindOf = (name: string): Kind => (isParameter(name) ? kinds[name] : "lines");

export const spacings = ["model", "leading", "linspace", "trailing"];
export const rngs = ["cpu", "cuda"];

/** Members of a spec that are short for axes, with their place among all axes: the first seven, then `parameters` (7), `axes` (8), then these two. */
export const shorts: Record<string, { parameter: ParameterName; rank: number }> = {
  prompts: { parameter: "prompt", rank: 0 },
  negative_prompts: { parameter: "negative_prompt", rank: 1 },
  models: { parameter: "model", rank: 2 },
  samplers: { parameter: "sampler", rank: 3 },
  schedules: { parameter: "schedule", rank: 4 },
  spacings: { parameter: "spacing", rank: 5 },
  seeds: { parameter: "seed", rank: 6 },
  cfg_scales: { parameter: "cfg_scale", rank: 9 },
  steps: { parameter: "steps", rank: 10 },
};

export const shortOf = (parameter: string): string | undefined =>
  Object.keys(shorts).find((member) => shorts[member]?.parameter === parameter);
