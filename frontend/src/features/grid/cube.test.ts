import { expect, it, describe as suite } from "vitest";
import { describe, makeCube } from "./cube";
import { generation, samplePage } from "./sample";

suite("cube", () => {
  it("counts a full product off, replicates last", () => {
    const cube = makeCube([samplePage()]);
    expect(cube.axes.map((axis) => axis.name)).toEqual(["sampler", "steps", "replicate"]);
    expect(cube.byId.get("heun-12-1")?.at).toEqual([1, 2, 1]);
    expect(cube.axes[2]?.values.map((one) => one.label)).toEqual(["Seed 100", "Seed 101"]);
    const cell = cube.byId.get("ddim-8-0");
    expect(cell && describe(cube, cell)).toBe("Sampler ddim, Steps 8, Replicate Seed 100");
  });

  it("finds places by value where cells were dropped", () => {
    const page = samplePage();
    page.items = page.items.filter((one) => one.sampler !== "heun" || one.steps !== 8);
    page.run.total = page.items.length;
    const cube = makeCube([page]);
    expect(cube.byId.get("heun-12-1")?.at).toEqual([1, 2, 1]);
  });

  it("knows settings by label and zips by their parts", () => {
    const one = generation({ id: "z", cell: 5, axes: { size: { width: 64, height: 128 }, guidance: "weak" } });
    const page = {
      ...samplePage(),
      replicates: 1,
      items: [one],
      axes: [
        { name: "size", values: [{ label: "128, 64" }, { label: "64, 128" }] },
        { name: "guidance", values: [{ label: "strong" }, { label: "weak" }] },
      ],
    };
    expect(makeCube([page]).cells[0]?.at).toEqual([1, 1]);
  });

  it("keeps the object of a cell that has not changed", () => {
    const page = samplePage();
    const before = makeCube([page]);
    const [first, ...others] = page.items;
    const changed = { ...page, items: [{ ...(first ?? generation({ id: "x" })), rating: 3 }, ...others] };
    const after = makeCube([changed]);
    expect(after.cells[0]).not.toBe(before.cells[0]);
    expect(after.cells[1]).toBe(before.cells[1]);
  });

  it("is empty without pages", () => {
    expect(makeCube([]).cells).toEqual([]);
  });
});
