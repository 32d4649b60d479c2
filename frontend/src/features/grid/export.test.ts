import { describe, expect, it } from "vitest";
import { csvOf, field } from "./csv";
import { makeCube } from "./cube";
import { measuresOf, parametersOf } from "./facts";
import { formatMeasure, measureOf } from "./measures";
import { makePainting } from "./paint";
import { wrap } from "./picture";
import { generation, samplePage } from "./sample";
import { comparable, grid, useGrid } from "./store";
import { withChange } from "./useMarks";

const cube = makeCube([samplePage()]);

describe("csv", () => {
  it("quotes what needs it and runs no formulas", () => {
    expect([field('a "b", c'), field("=1+1"), field(-1), field(null)]).toEqual(['"a ""b"", c"', "'=1+1", "-1", ""]);
  });
  it("has a line for each cell", () => {
    const lines = csvOf(cube, cube.cells, new Map()).trimEnd().split("\r\n");
    expect(lines).toHaveLength(25);
    expect(lines[0]).toMatch(/^id,sampler,steps,replicate,status,model,/);
    expect(lines[1]).toMatch(/^euler-4-0,euler,4,Seed 100,succeeded,demo,/);
  });
});

describe("measures", () => {
  const one = generation({ id: "m", measures: { psnr: "infinity" }, generation_time: 2, steps: 10 });
  it("come from the picture, its making, or the server's comparison", () => {
    expect(measureOf(one, "psnr")).toBe(100);
    expect(measureOf(one, "steps_per_second")).toBe(5);
    expect(measureOf(one, "memory")).toBe(1_000_000);
    expect(measureOf(one, "ssim")).toBeUndefined();
    expect(measureOf(one, "ssim", new Map([["m", { ssim: 0.9 }]]))).toBe(0.9);
    expect([formatMeasure("psnr", 100), formatMeasure("ssim", 0.98765), formatMeasure("contrast", 0.00012)]).toEqual([
      "equal",
      "0.988",
      "0.000120",
    ]);
  });
  it("are told with the parameters", () => {
    const cell = cube.byId.get("euler-8-0");
    if (!cell) throw new Error("no cell");
    expect(parametersOf(cube, cell).map((fact) => fact.title)).toContain("Sampler");
    expect(measuresOf(cell, new Map())).toContainEqual({ title: "Sharpness", text: "1" });
    const painting = makePainting(cube.cells, "sharpness", new Map(), "frame");
    expect(painting.range).toEqual({ min: 0, max: 23 });
    expect(painting.tint(cell)?.text).toBe("1");
  });
});

describe("labels of the picture", () => {
  it("are wrapped and cut", () => {
    const measure = (text: string) => text.length;
    expect(wrap("one two three", 7, 3, measure)).toEqual(["one two", "three"]);
    expect(wrap("one two three four", 7, 2, measure)).toEqual(["one two", "three…"]);
    expect(wrap("incomprehensible", 6, 1, measure)).toEqual(["incom…"]);
  });
});

describe("marks", () => {
  it("are four at most, and compared before a selection is", () => {
    grid.reset();
    for (const id of ["a", "b", "c", "d"]) expect(grid.mark(id)).toBe(true);
    expect(grid.mark("e")).toBe(false);
    grid.mark("a");
    expect(comparable(useGrid.getState())).toEqual(["b", "c", "d"]);
    grid.clear();
    grid.select("x");
    expect(comparable(useGrid.getState())).toEqual([]);
    grid.select("y");
    expect(comparable(useGrid.getState())).toEqual(["x", "y"]);
    grid.select("y");
    expect(useGrid.getState().selected.size).toBe(1);
  });
  it("change one cell of the cache", () => {
    const pages = { pages: [samplePage()], pageParams: [""] };
    const after = withChange(pages, "heun-8-0", { rating: 5 });
    expect(after.pages[0]?.items.find((one) => one.id === "heun-8-0")?.rating).toBe(5);
    expect(after.pages[0]?.items[0]).toBe(pages.pages[0]?.items[0]);
    expect(withChange(pages, "gone", { rating: 5 })).toBe(pages);
  });
});
