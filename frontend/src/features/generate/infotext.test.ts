import { describe, expect, it } from "vitest";
import type { SamplerInfo } from "@/features/recipe/draft";
import { draftOfInfo, parseInfotext, recover } from "./infotext";

const samplers = [
  { name: "dpmpp_2m", label: "DPM++ 2M", schedules: ["model", "karras"], aliases: ["k_dpmpp_2m"] },
  { name: "euler_ancestral", label: "Euler a", schedules: ["model"], aliases: ["euler_a"] },
] as SamplerInfo[];
const schedules = [
  { name: "karras", label: "Karras", aliases: [] },
  { name: "model", label: "Automatic", aliases: ["Automatic"] },
];

describe("A1111's text", () => {
  it("is prompt, negative prompt and pairs; quotes hold commas", () => {
    const info = parseInfotext(
      'a fox,\nin the snow\nNegative prompt: blurry\nlow\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 3, Size: 512x768, Lora hashes: "a: 1, b: 2", Model: sd',
    );
    expect(info).toMatchObject({
      Prompt: "a fox,\nin the snow",
      "Negative prompt": "blurry\nlow",
      Steps: "20",
      Size: "512x768",
      "Lora hashes": "a: 1, b: 2",
      Model: "sd",
    });
  });
  it("is not just any text", () => {
    expect(parseInfotext("a fox in the snow")).toBeUndefined();
    expect(parseInfotext("Steps: many")).toBeUndefined();
  });
  it("becomes a draft in our words", () => {
    const draft = draftOfInfo(
      {
        Prompt: "a",
        Sampler: "DPM++ 2M Karras",
        Steps: "9",
        "CFG scale": "4.5",
        Seed: "18446744073709551615",
        Size: "64x128",
        "Clip skip": "2",
        RNG: "NV",
      },
      samplers,
      schedules,
    );
    expect(draft).toEqual({
      prompt: "a",
      sampler: "dpmpp_2m",
      schedule: "karras",
      steps: 9,
      cfg_scale: 4.5,
      seed: "18446744073709551615",
      width: 64,
      height: 128,
      clip_skip: 1,
      rng: "cuda",
    });
    expect(draftOfInfo({ Sampler: "Unknown thing" }, samplers, schedules)).toEqual({});
    expect(draftOfInfo({ Sampler: "euler_a", "Schedule type": "Automatic" }, samplers, schedules)).toEqual({
      sampler: "euler_ancestral",
    });
  });
});

describe("what a picture carries", () => {
  const answer = (items: Record<string, unknown>, parameters: Record<string, unknown> = {}) => ({
    info: "",
    items,
    parameters,
  });
  it("is our recipe first", () => {
    const own = JSON.stringify({ prompt: "ours", seed: "12", init_sha256: "x", strength: 0.5 });
    expect(recover(answer({ cauldron: own }, { Prompt: "theirs", Steps: "3" }), samplers, schedules)).toEqual({
      draft: { prompt: "ours", seed: 12, strength: 0.5 },
      hadStart: true,
    });
  });
  it("is A1111's text when ours is damaged or absent", () => {
    const theirs = { Prompt: "theirs", Steps: "3", "Denoising strength": "0.5" };
    expect(recover(answer({ cauldron: "{" }, theirs), samplers, schedules)).toEqual({
      draft: { prompt: "theirs", steps: 3 },
      hadStart: true,
    });
  });
  it("may be nothing", () => {
    expect(recover(answer({}), samplers, schedules)).toBeUndefined();
  });
});
