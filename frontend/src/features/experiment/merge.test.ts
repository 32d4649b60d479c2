import { describe, expect, it } from "vitest";
import type { Experiment, Generation, Run } from "@/api/client";
import {
  endedCells,
  type GridPages,
  isOpen,
  mergeCells,
  mergeProgress,
  type Progress,
  reopen,
  replaceCell,
  supersedes,
} from "./merge";

const cell = (id: string, status: Generation["status"], attempts = 0) => ({ id, status, attempts }) as Generation;
const run = {
  id: "r1",
  number: 1,
  status: "running",
  total: 3,
  completed: 1,
  failed: 0,
  cancelled: 0,
  impossible: 0,
  reused: 0,
} as Run;
const pages = (...items: Generation[][]): GridPages => ({
  pages: items.map((page, index) => ({
    run,
    axes: [],
    items: page,
    next_cursor: index < items.length - 1 ? String(index) : null,
  })),
  pageParams: items.map(String),
});

describe("cells", () => {
  it("a finished picture is never pushed back", () => {
    expect(supersedes(cell("a", "succeeded", 1), cell("a", "failed", 1))).toBe(false);
    expect(supersedes(cell("a", "queued"), cell("a", "succeeded", 1))).toBe(true);
    expect(supersedes(cell("a", "failed", 3), cell("a", "succeeded", 1))).toBe(true);
    expect(supersedes(cell("a", "failed", 3), cell("a", "failed", 3))).toBe(false);
  });

  it("are merged by id over all pages, once", () => {
    const before = pages([cell("a", "queued"), cell("b", "queued")], [cell("c", "running")]);
    const said = new Map([cell("c", "succeeded", 1), cell("x", "succeeded", 1)].map((one) => [one.id, one]));
    const after = mergeCells(before, "r1", said);
    expect(after.pages[0]).toBe(before.pages[0]);
    expect(after.pages[1]?.items.map(({ status }) => status)).toEqual(["succeeded"]);
    expect(mergeCells(after, "r1", said)).toBe(after);
  });

  it("of another run are left alone", () => {
    const before = pages([cell("a", "queued")]);
    expect(mergeCells(before, "r2", new Map([["a", cell("a", "succeeded", 1)]]))).toBe(before);
  });

  it("are counted only when all of them are here", () => {
    const all = pages([cell("a", "succeeded")], [cell("b", "queued")]);
    expect(endedCells(all, "r1")).toBe(1);
    expect(endedCells(all, "r2")).toBeUndefined();
    const first = { ...all, pages: all.pages.slice(0, 1) };
    expect(endedCells(first, "r1")).toBeUndefined();
    expect(all.pages.map(isOpen)).toEqual([false, true]);
  });

  it("wait again after a retry; one answer replaces one cell", () => {
    const before = pages([cell("a", "failed", 3), cell("b", "succeeded", 1), cell("c", "cancelled")]);
    expect(reopen(before, "r1").pages[0]?.items.map(({ status }) => status)).toEqual(["queued", "succeeded", "queued"]);
    expect(reopen(before, "r2").pages[0]).toBe(before.pages[0]);
    const replaced = replaceCell(before, cell("c", "running", 1));
    expect(replaced.pages[0]?.items[2]).toEqual(cell("c", "running", 1));
  });
});

it("progress goes over the counters of its own run only", () => {
  const experiment = { id: "e", status: "running", run } as Experiment;
  const event = {
    ...run,
    run_id: "r1",
    status: "completed",
    completed: 3,
    eta_seconds: 0,
    sequence: 5,
  } as unknown as Progress;
  const merged = mergeProgress(experiment, event);
  expect([merged.status, merged.run?.completed, merged.run?.total]).toEqual(["completed", 3, 3]);
  expect(mergeProgress(experiment, { ...event, run_id: "r2" })).toBe(experiment);
});
