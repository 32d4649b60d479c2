import { describe, expect, it } from "vitest";
import type { Model } from "@/api/client";
import {
  bodyOf,
  changed,
  draftOf,
  modelOf,
  parseSeed,
  randomSeed,
  type SamplerInfo,
  samplersFor,
  schedulesFor,
  seedPlus,
} from "./draft";
import { oriented, presets, ratioName } from "./size";

const samplers = [
  { name: "euler", label: "Euler", schedules: ["model", "karras"], aliases: [] },
  { name: "ddim", label: "DDIM", schedules: ["model"], aliases: [] },
  { name: "lcm", label: "LCM", schedules: ["model"], aliases: [] },
] as SamplerInfo[];
const model = (name: string, legal: string[], more: Partial<Model> = {}): Model => ({
  name,
  provider: "native",
  width: 128,
  height: 128,
  multiple: 8,
  defaults: { sampler: legal[0], samplers: legal },
  ...more,
});
const models = [model("demo", ["ddim", "euler"]), model("fast", ["lcm"])];

describe("a draft", () => {
  it("holds what a recipe says and leaves out what says nothing", () => {
    const recipe = {
      prompt: "a",
      negative_prompt: null,
      seed: 3,
      schedule: "model",
      eta: 0,
      clip_skip: 2,
      strength: 0.8,
      dtype: "f32",
      crop_left: 0,
    };
    expect(draftOf(recipe)).toEqual({ prompt: "a", seed: 3, clip_skip: 2 });
    expect(draftOf({ ...recipe, init_sha256: "x" }).strength).toBe(0.8);
  });

  it("becomes a body without empty members, but with a number that could not be read", () => {
    const body = bodyOf({ prompt: "a", negative_prompt: "", steps: Number.NaN, width: undefined });
    expect(JSON.stringify(body)).toBe('{"prompt":"a","steps":null}');
  });

  it("knows its model", () => {
    expect(modelOf(models, {})?.name).toBe("demo");
    expect(modelOf(models, { model: "fast" })?.name).toBe("fast");
    expect(modelOf(models, { model: "gone" })).toBeUndefined();
    expect(modelOf(models.slice(1), {})?.name).toBe("fast");
  });

  it("offers the samplers of the model and the schedules of the sampler", () => {
    expect(samplersFor(models[1], samplers).map((one) => one.name)).toEqual(["lcm"]);
    expect(samplersFor(undefined, samplers)).toHaveLength(3);
    expect(schedulesFor({ sampler: "euler" }, models[0], samplers)).toEqual(["model", "karras"]);
    expect(schedulesFor({}, models[0], samplers)).toEqual(["model"]);
  });

  it("loses what a change makes illegal, and says so", () => {
    const before = { sampler: "euler", schedule: "karras" };
    expect(changed(before, { steps: 5 }, models, samplers)).toEqual({ draft: { ...before, steps: 5 }, dropped: [] });
    expect(changed(before, { sampler: "ddim" }, models, samplers)).toEqual({
      draft: { sampler: "ddim", schedule: undefined },
      dropped: ["schedule"],
    });
    expect(changed(before, { model: "fast" }, models, samplers).dropped).toEqual(["sampler", "schedule"]);
    expect(changed(before, { model: "fast" }, [], []).dropped).toEqual([]);
  });
});

describe("seeds", () => {
  it("are numbers where those are exact, else digits", () => {
    expect(parseSeed(" 42 ")).toBe(42);
    expect(parseSeed("18446744073709551615")).toBe("18446744073709551615");
    expect(parseSeed("")).toBeUndefined();
    expect(parseSeed("red")).toBe("red");
  });
  it("count up beyond 2^53", () => {
    expect(seedPlus(41, 1)).toBe(42);
    expect(seedPlus("9007199254740992", 1)).toBe("9007199254740993");
  });
  it("are thrown below 2^32", () => {
    for (let i = 0; i < 50; i++) expect(randomSeed()).toBeLessThan(2 ** 32);
  });
});

describe("sizes", () => {
  it("keep the native area in each shape, in steps that the model takes", () => {
    expect(presets(models[0]).map(({ width, height }) => `${width}x${height}`)).toEqual([
      "128x128",
      "144x112",
      "160x104",
      "168x96",
    ]);
    for (const { width, height } of presets(model("xl", ["euler"], { width: 1024, height: 1024 }))) {
      expect(width % 64).toBe(0);
      expect(height % 64).toBe(0);
      expect(width * height).toBeGreaterThan(0.85 * 1024 * 1024);
    }
  });
  it("stand or lie", () => {
    const [, second] = presets(models[0]);
    if (!second) throw new Error("no preset");
    expect(oriented(second, true)).toEqual({ width: 112, height: 144 });
    expect(oriented(second, false)).toEqual({ width: 144, height: 112 });
    expect([ratioName(second, true), ratioName(second, false)]).toEqual(["3:4", "4:3"]);
  });
});
