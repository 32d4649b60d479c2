// The recipe of a job in words: what everybody understands first, without what was left at nothing.
import type { Schemas } from "@/api/client";
import { t } from "@/i18n";

const shown = [
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
  "strength",
  "clip_skip",
  "guidance_rescale",
] as const;

export function recipeFacts(recipe: Schemas["Recipe"]): [string, string][] {
  return shown.flatMap((name): [string, string][] => {
    const value = recipe[name];
    if (value === undefined || value === null || value === "" || value === 0) return [];
    // Only a start image gives the strength a meaning.
    if (name === "strength" && !recipe.init_sha256) return [];
    return [[t(`common.parameter.${name}`), String(value)]];
  });
}
