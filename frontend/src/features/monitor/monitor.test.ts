import { describe, expect, it } from "vitest";
import type { Generation, Run } from "@/api/client";
import { arrange, cornerOf, defaultAxes, geometry, hit, step } from "./fill";
import { addSample, averageRate, drawnOf, elapsedSeconds, rateOf, type Sample, secondsLeft } from "./rate";
import { latestOf, troubles } from "./trouble";

const run = (more: Partial<Run>) =>
  ({ status: "running", total: 100, completed: 0, failed: 0, cancelled: 0, impossible: 0, reused: 0, ...more }) as Run;

describe("rate", () => {
  it("is of the last minute, and forgets what is older", () => {
    let samples: Sample[] = [];
    for (let second = 0; second <= 90; second++)
      samples = addSample(samples, { at: second * 1000, drawn: second < 30 ? 0 : second - 30 });
    expect(rateOf(samples)).toBe(60);
    expect(rateOf(samples.slice(0, 1))).toBeUndefined();
  });
  it("begins anew when a retry takes failures back", () => {
    expect(addSample([{ at: 0, drawn: 50 }], { at: 1000, drawn: 40 })).toEqual([{ at: 1000, drawn: 40 }]);
  });
  it("does not count what was there before", () => {
    expect(drawnOf(run({ completed: 10, reused: 8 }))).toBe(2);
  });
  it("says how long it will take, by the server's word first", () => {
    const begun = run({ started_at: "2026-01-01T00:00:00Z", completed: 10 });
    const now = Date.parse("2026-01-01T00:01:00Z");
    expect(elapsedSeconds(begun, now)).toBe(60);
    expect(averageRate(begun, now)).toBe(10);
    expect(secondsLeft(begun, 10)).toBe(540);
    expect(secondsLeft({ ...begun, eta_seconds: 3 }, 10)).toBe(3);
    expect(secondsLeft({ ...begun, status: "paused" }, 10)).toBeUndefined();
    expect(elapsedSeconds({ ...begun, finished_at: "2026-01-01T00:00:05Z" }, now)).toBe(5);
    expect(elapsedSeconds(run({}), now)).toBeUndefined();
  });
});

const steps = {
  name: "steps",
  parameter: "steps",
  numeric: true,
  values: [
    { label: "2", value: 2 },
    { label: "4", value: 4 },
  ],
};
const sampler = {
  name: "sampler",
  parameter: "sampler",
  numeric: false,
  values: [
    { label: "a", value: "a" },
    { label: "b", value: "b" },
  ],
};
const cells = ["a", "b"].flatMap((name) =>
  [2, 4].flatMap((count) =>
    [0, 1, 2].map(
      (replicate) =>
        ({ id: `${name}${count}${replicate}`, axes: { sampler: name, steps: count } }) as unknown as Generation,
    ),
  ),
);

describe("the small picture of a grid", () => {
  const fill = arrange(cells, steps, sampler);
  const g = geometry(fill, 400, 300);
  it("packs the cells of a block into a square", () => {
    expect([fill.across, fill.down, fill.columns, fill.rows]).toEqual([2, 2, ["2", "4"], ["a", "b"]]);
    expect(fill.placed.map(({ x, y }) => `${x},${y}`).slice(0, 6)).toEqual(["0,0", "1,0", "0,1", "2,0", "3,0", "2,1"]);
    expect(new Set(fill.placed.map(({ x, y }) => `${x},${y}`)).size).toBe(cells.length);
  });
  it("finds the cell under a point, and none between blocks", () => {
    for (const placed of fill.placed) {
      const [x, y] = cornerOf(fill, g, placed);
      expect(hit(fill, g, x + 1, y + 1)).toBe(placed);
    }
    expect(hit(fill, g, g.left + 2 * g.size + 1, g.top + 1)).toBeUndefined();
    expect(g.width).toBeLessThanOrEqual(400);
  });
  it("is walked by arrows, over holes", () => {
    const first = fill.placed[0];
    if (!first) throw new Error("no cell");
    expect(step(fill.placed, first, 1, 0).cell.id).toBe("a21");
    expect(step(fill.placed, first, 0, 1).cell.id).toBe("a22");
    expect(step(fill.placed, first, -1, 0)).toBe(first);
  });
  it("stays visible however many cells there are", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ id: String(index), axes: {} }) as Generation);
    expect(geometry(arrange(many, undefined, undefined), 360, 420).size).toBeGreaterThanOrEqual(3);
  });
  it("has numbers across and the first other axis down", () => {
    expect(defaultAxes([sampler, steps])).toEqual({ column: "steps", row: "sampler" });
    expect(defaultAxes([])).toEqual({ column: undefined, row: undefined });
  });
});

it("cells that were not drawn are grouped by reason, failures first", () => {
  const made = (id: string, status: string, message?: string) =>
    ({ id, status, error: message ? { code: "x", message } : null }) as Generation;
  const found = troubles([
    made("1", "impossible", "no"),
    made("2", "failed", "boom"),
    made("3", "succeeded"),
    made("4", "failed", "boom"),
    made("5", "cancelled"),
  ]);
  expect(found.map(({ status, reason, cells: all }) => [status, reason, all.length])).toEqual([
    ["failed", "boom", 2],
    ["cancelled", "", 1],
    ["impossible", "no", 1],
  ]);
});

it("the newest picture is the one finished last", () => {
  const made = (id: string, generated_at: string | null) =>
    ({ id, image: generated_at ? {} : null, generated_at }) as Generation;
  expect(latestOf([made("1", "2026-01-02"), made("2", "2026-01-03"), made("3", null)])?.id).toBe("2");
  expect(latestOf([])).toBeUndefined();
});
