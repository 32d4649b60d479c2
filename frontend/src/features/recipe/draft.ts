// A recipe while a person edits it: what is absent is left to the model. Pure functions between drafts, the recipes
// that the server stores, and the texts that other programs write into pictures.
import type { Model, Schemas } from "@/api/client";

export type SamplerInfo = Schemas["SamplerList"]["items"][number];

export const draftKeys = [
  "prompt",
  "negative_prompt",
  "model",
  "sampler",
  "schedule",
  "spacing",
  "steps",
  "cfg_scale",
  "seed",
  "width",
  "height",
  "eta",
  "rng",
  "clip_skip",
  "guidance_rescale",
  "strength",
  "original_width",
  "original_height",
  "crop_left",
  "crop_top",
  "target_width",
  "target_height",
] as const;

export type DraftKey = (typeof draftKeys)[number];
export type RecipeDraft = Partial<Pick<Schemas["GenerateRequest"], DraftKey>>;

/** Values that say nothing: the server's own defaults. */
const silent: Partial<Record<DraftKey, unknown>> = {
  schedule: "model",
  spacing: "model",
  eta: 0,
  rng: "cpu",
  clip_skip: 0,
  guidance_rescale: 0,
  original_width: 0,
  original_height: 0,
  crop_left: 0,
  crop_top: 0,
  target_width: 0,
  target_height: 0,
};

/** The part of a stored recipe (or of anything shaped like one) that a person may edit. */
export function draftOf(recipe: Record<string, unknown>): RecipeDraft {
  const entries = draftKeys
    .map((key) => [key, recipe[key]] as const)
    .filter(([key, value]) => value !== undefined && value !== null && value !== "" && value !== silent[key])
    .filter(([key]) => key !== "strength" || Boolean(recipe.init_sha256));
  return Object.fromEntries(entries) as RecipeDraft;
}

/** What goes into a request: no empty texts, nothing undefined. An unreadable number (NaN) stays, as null, so that the
 *  server names the field rather than the default being taken silently. */
export function bodyOf(draft: RecipeDraft): RecipeDraft {
  return Object.fromEntries(
    Object.entries(draft).filter(([, value]) => value !== undefined && value !== null && value !== ""),
  ) as RecipeDraft;
}

export const defaultModel = "demo";

export function modelOf(models: Model[], draft: RecipeDraft): Model | undefined {
  return models.find((one) => one.name === (draft.model ?? defaultModel)) ?? (draft.model ? undefined : models[0]);
}

/** The samplers that a model takes; all of them when it does not say. */
export function samplersFor(model: Model | undefined, samplers: SamplerInfo[]): SamplerInfo[] {
  const legal = model?.defaults?.samplers;
  return Array.isArray(legal) ? samplers.filter((one) => legal.includes(one.name)) : samplers;
}

export function defaultSampler(model: Model | undefined): string | undefined {
  const name = model?.defaults?.sampler;
  return typeof name === "string" ? name : undefined;
}

/** The schedules that go with a draft's sampler. */
export function schedulesFor(draft: RecipeDraft, model: Model | undefined, samplers: SamplerInfo[]): string[] {
  const name = draft.sampler ?? defaultSampler(model);
  return samplers.find((one) => one.name === name)?.schedules ?? [];
}

/** A change, and what it makes illegal taken out with it: a sampler that the new model lacks, a schedule that the new
 *  sampler does not take. */
export function changed(
  draft: RecipeDraft,
  change: RecipeDraft,
  models: Model[],
  samplers: SamplerInfo[],
): { draft: RecipeDraft; dropped: ("sampler" | "schedule")[] } {
  const next = { ...draft, ...change };
  const dropped: ("sampler" | "schedule")[] = [];
  const model = modelOf(models, next);
  if (next.sampler && samplers.length && !samplersFor(model, samplers).some((one) => one.name === next.sampler)) {
    next.sampler = undefined;
    dropped.push("sampler");
  }
  const legal = schedulesFor(next, model, samplers);
  if (next.schedule && legal.length && !legal.includes(next.schedule)) {
    next.schedule = undefined;
    dropped.push("schedule");
  }
  return { draft: next, dropped };
}

/** Seeds that the dice throw: the range in which the server chooses its own. */
export const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

/** A seed as typed: a number where JavaScript can hold it, else its decimal digits. */
export function parseSeed(text: string): number | string | undefined {
  const digits = text.trim();
  if (digits === "") return undefined;
  return /^\d+$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : digits;
}

/** How far apart two seeds of one request lie: image i has seed + i. */
export function seedPlus(seed: number | string, n: number): number | string {
  return parseSeed((BigInt(seed) + BigInt(n)).toString()) ?? 0;
}
