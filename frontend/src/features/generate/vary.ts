// Other pictures of the same idea: what a request has to say differently from the recipe of one that exists.
import type { Generation } from "@/api/client";
import { draftOf, type RecipeDraft, randomSeed } from "@/features/recipe/draft";
import type { Source } from "./store";

export const variations = ["seed", "seeds", "small", "lower", "higher", "steps"] as const;
export type Variation = (typeof variations)[number];

export interface DrawRequest {
  draft: RecipeDraft;
  count: number;
  start?: Source;
  mask?: Source;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** `seed`: another one, `seeds`: four; `small`: from the picture itself, changed a little; `lower` and `higher`
 *  guidance; `steps`: twice as many. `start`: what the picture itself was drawn from, if it was. */
export function vary(generation: Generation, kind: Variation, start?: Source): DrawRequest {
  const draft = draftOf(generation.parameters);
  const same = { draft, count: 1, start };
  switch (kind) {
    case "seed":
      return { ...same, draft: { ...draft, seed: randomSeed() } };
    case "seeds":
      return { ...same, draft: { ...draft, seed: randomSeed() }, count: 4 };
    case "small":
      return {
        draft: { ...draft, seed: randomSeed(), strength: 0.45 },
        count: 4,
        start: { kind: "generation", id: generation.id },
      };
    case "lower":
      return { ...same, draft: { ...draft, cfg_scale: round(Math.max(1, generation.cfg_scale * 0.75)) } };
    case "higher":
      return { ...same, draft: { ...draft, cfg_scale: round(Math.min(100, generation.cfg_scale * 1.33)) } };
    case "steps":
      return { ...same, draft: { ...draft, steps: Math.min(1000, generation.steps * 2) } };
  }
}
