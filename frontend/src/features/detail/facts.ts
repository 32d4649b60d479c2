// A generation's recipe as names and values, in the order in which people read them; what has no effect is left out.
import type { Generation } from "@/api/client";
import { formatBytes, formatNumber, formatSeconds, formatTime, type MessageKey, t } from "@/i18n";

export type Fact = [name: string, value: string];

/** Values that mean "nothing was set". */
const empty: Record<string, unknown> = { eta: 0, rng: "cpu", clip_skip: 0, guidance_rescale: 0, spacing: null };
const extra = ["spacing", "eta", "rng", "clip_skip", "guidance_rescale"] as const;
const sizes = ["original_width", "original_height", "crop_left", "crop_top", "target_width", "target_height"] as const;

const text = (value: unknown): string => (typeof value === "number" ? formatNumber(value) : String(value));

export function recipeFacts(generation: Generation): Fact[] {
  const recipe = generation.parameters;
  const name = (key: string) => t(`common.parameter.${key}` as MessageKey);
  const facts: Fact[] = [
    [name("model"), generation.model],
    [name("sampler"), generation.sampler],
    [name("schedule"), generation.schedule],
    [name("steps"), String(generation.steps)],
    [name("cfg_scale"), text(generation.cfg_scale)],
    [name("seed"), String(generation.seed)],
    [t("detail.size"), `${generation.width} × ${generation.height}`],
  ];
  for (const key of extra) {
    const value = recipe[key];
    if (value !== undefined && value !== null && value !== empty[key]) facts.push([name(key), text(value)]);
  }
  for (const key of sizes) if (recipe[key]) facts.push([name(key), String(recipe[key])]);
  if (recipe.init_sha256) {
    facts.push([name("init_image"), `SHA-256 ${recipe.init_sha256.slice(0, 12)}`]);
    facts.push([name("strength"), text(recipe.strength)]);
  }
  if (recipe.mask_sha256) facts.push([name("mask"), `SHA-256 ${recipe.mask_sha256.slice(0, 12)}`]);
  return facts;
}

export function drawnFacts(generation: Generation): Fact[] {
  const recipe = generation.parameters;
  const { measures } = generation;
  const facts: Fact[] = [[t("detail.asked"), formatTime(generation.created_at)]];
  if (generation.reused) facts.push([t("detail.time"), t("detail.reused")]);
  else if (generation.generation_time != null)
    facts.push([t("detail.time"), formatSeconds(generation.generation_time)]);
  if (generation.memory_used) facts.push([t("common.measure.memory"), formatBytes(generation.memory_used)]);
  if (generation.image)
    facts.push([t("detail.file"), `${generation.image.format.toUpperCase()}, ${formatBytes(generation.image.bytes)}`]);
  for (const key of ["sharpness", "contrast", "colourfulness", "ssim", "ms_ssim", "psnr"] as const) {
    const value = measures?.[key];
    if (value !== undefined && value !== null) facts.push([t(`common.measure.${key}`), text(value)]);
  }
  if (generation.model_digest) facts.push([t("detail.digest"), generation.model_digest.slice(0, 12)]);
  if (recipe.dtype) facts.push([t("detail.computed"), [recipe.dtype, recipe.isa].filter(Boolean).join(", ")]);
  return facts;
}
