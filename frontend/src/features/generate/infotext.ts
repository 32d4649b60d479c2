// Recipes in the words of other programs: the text that A1111's web UI writes into pictures, and what the server makes
// of it (POST /sdapi/v1/png-info). Our own recipe, where a picture carries it, is exact and goes first.
import type { Schemas } from "@/api/client";
import { draftOf, parseSeed, type RecipeDraft, type SamplerInfo } from "@/features/recipe/draft";

export interface Recovered {
  draft: RecipeDraft;
  /** Drawn from another picture, which the recipe names but does not hold. */
  hadStart: boolean;
}

interface Named {
  name: string;
  label?: string;
  aliases: string[];
}

function find(list: Named[], text: string): string | undefined {
  const wanted = text.trim().toLowerCase();
  return list.find((one) => [one.name, one.label ?? "", ...one.aliases].some((name) => name.toLowerCase() === wanted))
    ?.name;
}

/** "DPM++ 2M Karras" is a sampler and a schedule in older files. */
function samplerOf(text: string, samplers: SamplerInfo[], schedules: Named[]): { sampler?: string; schedule?: string } {
  const whole = find(samplers, text);
  if (whole) return { sampler: whole };
  const cut = text.lastIndexOf(" ");
  const sampler = cut > 0 ? find(samplers, text.slice(0, cut)) : undefined;
  const schedule = cut > 0 ? find(schedules, text.slice(cut + 1)) : undefined;
  return sampler && schedule ? { sampler, schedule } : {};
}

const numberOf = (text: string | undefined): number | undefined => {
  const value = Number(text);
  return text === undefined || text.trim() === "" || Number.isNaN(value) ? undefined : value;
};

/** Names and values as A1111 has them, to a draft. What it does not name stays with the model. */
export function draftOfInfo(info: Record<string, string>, samplers: SamplerInfo[], schedules: Named[]): RecipeDraft {
  const size = /^(\d+)x(\d+)$/.exec(info.Size ?? "");
  const named = samplerOf(info.Sampler ?? "", samplers, schedules);
  const skip = numberOf(info["Clip skip"]);
  return draftOf({
    prompt: info.Prompt,
    negative_prompt: info["Negative prompt"],
    model: info.Model,
    sampler: named.sampler,
    schedule: find(schedules, info["Schedule type"] ?? "") ?? named.schedule,
    steps: numberOf(info.Steps),
    cfg_scale: numberOf(info["CFG scale"]),
    seed: info.Seed === undefined ? undefined : parseSeed(info.Seed),
    width: numberOf(size?.[1] ?? info["Size-1"]),
    height: numberOf(size?.[2] ?? info["Size-2"]),
    // A1111 counts the layers that are used from the end; 1 leaves none out.
    clip_skip: skip === undefined ? undefined : Math.max(0, skip - 1),
    rng: { GPU: "cuda", NV: "cuda" }[info.RNG ?? ""],
    eta: numberOf(info["Eta DDIM"] ?? info.Eta),
    guidance_rescale: numberOf(info["CFG Rescale"]),
  });
}

/** The three parts of a text of A1111: prompt, negative prompt, "Name: value" pairs. Undefined when it is none. */
export function parseInfotext(text: string): Record<string, string> | undefined {
  const lines = text.trim().split("\n");
  const last = lines.at(-1) ?? "";
  if (!/^Steps: \d+, /.test(last)) return undefined;
  const body = lines.slice(0, -1).join("\n");
  const [prompt = "", negative = ""] = body.split(/(?:^|\n)Negative prompt: /);
  const info: Record<string, string> = { Prompt: prompt.trim(), "Negative prompt": negative.trim() };
  for (const [, name = "", quoted, plain] of last.matchAll(/([\w +-]+): (?:"((?:\\.|[^"\\])*)"|([^,]*))(?:, |$)/g))
    info[name.trim()] = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
  return info;
}

/** From what the server read out of a picture; undefined when it carries no recipe. */
export function recover(
  answer: Schemas["A1111PngInfoAnswer"],
  samplers: SamplerInfo[],
  schedules: Named[],
): Recovered | undefined {
  const own = answer.items.cauldron;
  if (typeof own === "string")
    try {
      const recipe = JSON.parse(own) as Record<string, unknown>;
      const seed = typeof recipe.seed === "string" ? parseSeed(recipe.seed) : recipe.seed;
      return { draft: draftOf({ ...recipe, seed }), hadStart: Boolean(recipe.init_sha256) };
    } catch {
      // Damaged: the text beside it may be whole.
    }
  const info = Object.fromEntries(Object.entries(answer.parameters).map(([name, value]) => [name, String(value)]));
  const draft = draftOfInfo(info, samplers, schedules);
  if (!info.Steps && !draft.prompt) return undefined;
  return { draft, hadStart: "Denoising strength" in info && !("Hires upscale" in info) };
}
