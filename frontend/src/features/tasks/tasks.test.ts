import { describe, expect, it } from "vitest";
import { amounts, possible, progressText, sourceText, type Task } from "./tasks";

const task = (change: Partial<Task> = {}): Task => ({
  id: "0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11",
  name: "autumn",
  kind: "image",
  status: "running",
  phase: "records",
  counts: { waiting: 4, ready: 1, stored: 0, failing: 0, succeeded: 3, failed: 2, cancelled: 0 },
  read: 10,
  read_all: false,
  ended: 5,
  callbacks: { waiting: 0, delivered: 0, dead: 0 },
  document: {},
  created_at: "2026-01-01T00:00:00Z",
  url: "/api/v1/tasks/0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11",
  ...change,
});

describe("numbers of a task", () => {
  it("knows the whole when the source said it, or when all was read", () => {
    expect(amounts(task())).toEqual({ done: 5 });
    expect(amounts(task({ source_records: 40 }))).toEqual({ done: 5, total: 40 });
    // Several pictures of a record are more than the source has records.
    expect(amounts(task({ source_records: 4 }))).toEqual({ done: 5, total: 10 });
    expect(amounts(task({ source_records: 40, read_all: true }))).toEqual({ done: 5, total: 10 });
  });

  it("says rate, time and money while it runs, and what failed", () => {
    const running = task({
      source_records: 40,
      per_second: 2.5,
      eta_seconds: 14,
      cost: 1,
      cost_expected: 8,
      currency: "EUR",
    });
    expect(progressText(running)).toBe("5 of 40 · 2.5 a second · 14 s left · 2 failed · 1 EUR of about 8 EUR");
    const ended = { ...running, status: "completed" as const, read_all: true };
    expect(progressText(ended)).toBe("5 of 10 · 2 failed · 1 EUR so far");
  });
});

describe("what can be done", () => {
  it("depends on the state", () => {
    expect(possible(task())).toEqual(["pause", "cancel"]);
    expect(possible(task({ status: "paused" }))).toEqual(["resume", "cancel"]);
    expect(possible(task({ status: "awaiting_approval" }))).toEqual([]);
    expect(possible(task({ status: "failed" }))).toEqual(["run"]);
  });
});

describe("the source in a line", () => {
  it("names a file or a collection", () => {
    expect(sourceText({ source: { type: "csv", path: "a.csv" } })).toBe("csv: a.csv");
    expect(sourceText({ source: { type: "mongodb", connection: "shop", database: "s", collection: "c" } })).toBe(
      "mongodb: shop / s / c",
    );
  });
});
