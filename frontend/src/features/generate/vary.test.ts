import { expect, it } from "vitest";
import type { Generation } from "@/api/client";
import { requestBody } from "./draw";
import { sourceUrl, sourceValue, useStudio } from "./store";
import { variations, vary } from "./vary";

const generation = {
  id: "g",
  cfg_scale: 8,
  steps: 600,
  parameters: { prompt: "a", seed: 5, steps: 600, cfg_scale: 8 },
} as unknown as Generation;

it("varies one thing at a time", () => {
  const made = Object.fromEntries(variations.map((kind) => [kind, vary(generation, kind)]));
  expect(made.seed?.draft.seed).not.toBe(5);
  expect(made.seeds?.count).toBe(4);
  expect(made.small).toMatchObject({ count: 4, start: { kind: "generation", id: "g" }, draft: { strength: 0.45 } });
  expect(made.lower?.draft).toMatchObject({ cfg_scale: 6, seed: 5 });
  expect(made.higher?.draft).toMatchObject({ cfg_scale: 10.64, seed: 5 });
  expect(made.steps?.draft).toMatchObject({ steps: 1000, seed: 5 });
});

it("asks with strength and mask only where there is a start image", () => {
  const draft = { prompt: " a ", strength: 0.4 };
  expect(requestBody({ draft, count: 1 })).toEqual({ prompt: "a" });
  const start = { kind: "generation", id: "g" } as const;
  const mask = { kind: "file", name: "m.png", data: "data:image/png;base64,AA" } as const;
  expect(requestBody({ draft, count: 3, start, mask })).toEqual({
    prompt: "a",
    count: 3,
    init_image: "g",
    strength: 0.4,
    mask: mask.data,
  });
  expect(requestBody({ draft, count: 1, mask })).toEqual({ prompt: "a" });
});

it("keeps the draft over a reload, without files that are too large and numbers that are none", () => {
  const data = "x".repeat(300_001);
  useStudio.getState().set({ draft: { prompt: "kept", steps: Number.NaN }, start: { kind: "file", name: "a", data } });
  const stored = JSON.parse(localStorage.getItem("cauldron-generate") ?? "{}").state;
  expect(stored.start).toBeUndefined();
  useStudio.setState({ draft: {} });
  localStorage.setItem(
    "cauldron-generate",
    JSON.stringify({ version: 1, state: { draft: { prompt: "kept", steps: null, foreign: 1 } } }),
  );
  void useStudio.persist.rehydrate();
  expect(useStudio.getState().draft).toEqual({ prompt: "kept" });
});

it("knows where a source is seen and what is sent of it", () => {
  expect(sourceUrl({ kind: "generation", id: "g" })).toContain("/generations/g/thumbnail");
  expect(sourceValue({ kind: "file", name: "a", data: "data:" })).toBe("data:");
  expect(sourceValue(undefined)).toBeUndefined();
});
