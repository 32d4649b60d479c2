import { describe, expect, it } from "vitest";
import type { Analysis } from "@/features/experiment/queries";
import { parseChoice, withChoice } from "./choice";
import { settingOf } from "./Effects";
import { costPlot, curvesPlot } from "./plots";
import { nextSort, type Row, type Sort, sorted } from "./ranking";
import { difference, figure, gaps, summary, withInterval } from "./words";

const mean = (value: number | null, half = 0, n = 4) => ({
  n,
  mean: value,
  low: half ? (value ?? 0) - half : null,
  high: half ? (value ?? 0) + half : null,
});
const point = (x: number, y: number | null, seconds = x / 10) => ({
  x,
  y: mean(y, 0.01),
  seconds: mean(seconds, 0.01),
  reference: false,
});

it("the choice is what the address says, when it makes sense", () => {
  expect(parseChoice(new URLSearchParams("measure=psnr&tolerance=0.1&run=2&reference=abc"))).toEqual({
    measure: "psnr",
    tolerance: 0.1,
    run: 2,
    reference: "abc",
  });
  expect(parseChoice(new URLSearchParams("measure=beauty&tolerance=7&reference=most_steps"))).toEqual({});
  expect(withChoice(new URLSearchParams("a=1"), "measure", "psnr").toString()).toBe("a=1&measure=psnr");
  expect(withChoice(new URLSearchParams("a=1&measure=psnr"), "measure", undefined).toString()).toBe("a=1");
});

describe("numbers in words", () => {
  it("have as many digits as their interval makes sense of", () => {
    expect(withInterval({ n: 20, mean: 0.95188, low: 0.92594, high: 0.97781 })).toBe("0.95 (0.93 to 0.98, n = 20)");
    expect(withInterval({ n: 4, mean: 0.99928, low: 0.99886, high: 0.9997 })).toBe("0.9993 (0.9989 to 0.9997, n = 4)");
    expect(withInterval(mean(0.5, 0, 1))).toBe("0.5 (n = 1: no interval)");
    expect(withInterval(mean(null, 0, 0))).toBe("not measured");
    expect([figure(0.123456), figure(12345), figure(null), figure(Number.NaN)]).toEqual(["0.123", "12,345", "–", "–"]);
  });
  it("say when a difference may be chance", () => {
    expect(difference({ n: 4, mean: 0.2, low: 0.1, high: 0.3 })).toMatch(/^\+0\.2\d* against the first \(/);
    expect(difference({ n: 4, mean: -0.1, low: -0.3, high: 0.1 })).toMatch(/may be chance/);
    expect(difference(mean(0.1, 0, 1))).toMatch(/no interval/);
    expect(difference(mean(null))).toBe("");
  });
});

const curve = {
  label: "euler",
  setting: { sampler: "euler" },
  points: [point(2, 0.8), point(4, 0.96), null, { ...point(8, null), reference: true }],
  knee: point(2, 0.8),
  converged: point(4, 0.96),
  summary: "",
};
const row = (label: string, y: number | null, seconds: number | null, frontier = false) =>
  ({ label, setting: { sampler: label }, y: mean(y, 0.01), seconds: mean(seconds), frontier }) as Row;
const analysis = {
  curve_axis: "steps",
  curves: [curve],
  ranking: [row("b", 0.9, 2, true), row("a", 0.95, 3, true), row("c", 0.5, 9), row("d", null, null)],
  importance: [],
  counts: { cells: 10, done: 8, measured: 6 },
} as unknown as Analysis;

describe("plots", () => {
  it("leave out what was not measured, and mark knee and convergence", () => {
    const { series, settings } = curvesPlot(analysis, []);
    expect(series[0]?.points.map(({ x, mark }) => [x, mark])).toEqual([
      [2, "knee"],
      [4, "converged"],
    ]);
    expect(settings.get("0 4")).toEqual({ sampler: "euler", steps: 4 });
  });
  it("join the frontier by rising cost", () => {
    const { series, settings } = costPlot(analysis, []);
    expect(series.map(({ key, points }) => [key, points.map(({ x }) => x)])).toEqual([
      ["frontier", [2, 3]],
      ["others", [9]],
    ]);
    expect(settings.get("2")).toEqual({ sampler: "c" });
  });
  it("say in a sentence what a curve comes to", () => {
    expect(summary(curve as never, "steps")).toBe("converged at Steps 4, 0.4 s (n = 4). Knee at 2.");
    expect(summary({ ...curve, knee: null, converged: null } as never, "steps")).toMatch(/has not converged.*no knee/);
  });
});

it("gaps are said", () => {
  expect(gaps(analysis).join(" ")).toMatch(/8 of 10 cells are done/);
  const poor = {
    ...analysis,
    curves: [],
    counts: { cells: 8, done: 8, measured: 0 },
    ranking: [{ ...row("a", null, 1), y: mean(1, 0, 1) }],
  };
  expect(gaps(poor as unknown as Analysis).length).toBe(3);
});

describe("the ranking", () => {
  const labels = (sort: Sort | undefined) =>
    sorted(analysis.ranking, sort)
      .map(({ label }) => label)
      .join("");
  it("sorts by any column; the unknown comes last both ways", () => {
    expect(labels(undefined)).toBe("bacd");
    expect(labels({ key: "setting", down: false })).toBe("abcd");
    expect(labels({ key: "y", down: true })).toBe("abcd");
    expect(labels({ key: "y", down: false })).toBe("cbad");
    expect(labels({ key: "n", down: true })).toBe("bacd");
  });
  it("goes up, down, and back", () => {
    const first = nextSort(undefined, "seconds");
    const second = nextSort(first, "seconds");
    expect([first, second, nextSort(second, "seconds")]).toEqual([
      { key: "seconds", down: false },
      { key: "seconds", down: true },
      undefined,
    ]);
    expect(nextSort(first, "y")).toEqual({ key: "y", down: true });
  });
});

it("an effect's pictures: by value, by label, by replicate", () => {
  const factor = (name: string, ...effects: object[]) => ({ name, share: 0, n: 1, effects }) as never;
  expect(settingOf(factor("steps", { label: "4", value: 4 }), 0)).toEqual({ steps: 4 });
  expect(settingOf(factor("guidance", { label: "weak", value: null }), 0)).toEqual({ guidance: "weak" });
  expect(settingOf(factor("replicate", { label: "seed 1", value: null }), 0)).toEqual({ replicate: 0 });
});
