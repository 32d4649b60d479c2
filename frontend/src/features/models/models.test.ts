import { expect, test } from "vitest";
import type { Model } from "@/api/client";
import {
  defaultsOf,
  type ModelTask,
  matching,
  progressText,
  repositoryOf,
  samplersOf,
  shareOf,
  taskName,
  withTask,
} from "./models";

const task = (more: Partial<ModelTask> = {}): ModelTask => ({
  id: "1",
  kind: "pull",
  model: "a/b",
  status: "running",
  done: 500,
  total: 2000,
  created_at: "2026-11-21T21:00:00Z",
  ...more,
});

test("a repository is taken as owner/name and out of addresses", () => {
  expect(repositoryOf(" stabilityai/sd-turbo ")).toBe("stabilityai/sd-turbo");
  expect(repositoryOf("https://huggingface.co/stabilityai/sd-turbo/tree/main?x=1")).toBe("stabilityai/sd-turbo");
  expect(repositoryOf("sd-turbo")).toBeUndefined();
  expect(repositoryOf("a b/c")).toBeUndefined();
});

test("progress in words", () => {
  expect(progressText(task({ bytes_per_second: 100, eta_seconds: 15 }))).toBe(
    "500 B of 2.0 kB · 100 B a second · 15 s left",
  );
  expect(progressText(task({ total: null }))).toBe("500 B");
  expect(shareOf(task())).toBe(0.25);
  expect(shareOf(task({ total: null }))).toBeUndefined();
  expect(taskName(task({ kind: "verify" }))).toBe("Check of a/b");
});

test("news of a task goes to its place, and never back from its end", () => {
  const list = { items: [task({ id: "2" }), task({ status: "succeeded" })] };
  expect(withTask(list, task({ done: 9 })).items[1]?.status).toBe("succeeded");
  expect(withTask(list, task({ id: "2", done: 9 })).items[0]?.done).toBe(9);
  expect(withTask(list, task({ id: "3" })).items.map((one) => one.id)).toEqual(["3", "2", "1"]);
  expect(withTask(undefined, task()).items).toHaveLength(1);
});

test("models are found by words of name and architecture; defaults are told apart from lists", () => {
  const models: Model[] = [
    { name: "demo", provider: "native", architecture: "sd1", defaults: { steps: 20, samplers: ["euler"] } },
    { name: "other", provider: "native", architecture: "sdxl" },
  ];
  expect(matching(models, "DEMO sd1").map((one) => one.name)).toEqual(["demo"]);
  expect(matching(models, "")).toHaveLength(2);
  const [demo, other] = models;
  if (!demo || !other) throw new Error("two models");
  expect(defaultsOf(demo)).toEqual([["steps", "20"]]);
  expect(samplersOf(demo)).toEqual(["euler"]);
  expect(samplersOf(other)).toEqual([]);
});
