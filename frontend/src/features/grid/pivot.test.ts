import { describe, expect, it } from "vitest";
import { type Cube, makeCube } from "./cube";
import { chosenCells, groupsOf, keepOrder, listSheet, pivot, type Row, type Sheet, sorted } from "./pivot";
import { generation, samplePage } from "./sample";
import { parseView } from "./view";

const cube = makeCube([samplePage()]);
const view = (text: string, of: Cube = cube) => parseView(new URLSearchParams(text), of.axes);
const rows = (sheet: Sheet): Row[] => sheet.lines.filter((line) => line.kind === "row");
const ids = (sheet: Sheet) => rows(sheet).map((row) => row.slots.map((slot) => slot.map((cell) => cell.id).join("+")));

describe("pivot", () => {
  it("lays rows, columns and a tab out", () => {
    const sheet = pivot(cube, view("tab=1"));
    expect(sheet.columns).toEqual(["4", "8", "12", "20"]);
    expect(rows(sheet).map((row) => row.title)).toEqual(["euler", "heun", "ddim"]);
    expect(ids(sheet)[1]).toEqual(["heun-4-1", "heun-8-1", "heun-12-1", "heun-20-1"]);
    expect(sheet.cells).toHaveLength(12);
  });

  it("puts all of an axis into one slot", () => {
    const sheet = pivot(cube, view("tabs=-&at.replicate=all"));
    expect(ids(sheet)[0]?.[0]).toBe("euler-4-0+euler-4-1");
    expect(sheet.most).toBe(2);
  });

  it("makes sections of an axis or a field", () => {
    const sheet = pivot(cube, view("group=sampler&rows=replicate&tabs=-"));
    expect(sheet.lines.filter((line) => line.kind === "section")).toEqual([
      { kind: "section", title: "euler", count: 8 },
      { kind: "section", title: "heun", count: 8 },
      { kind: "section", title: "ddim", count: 8 },
    ]);
    expect(pivot(cube, view("group=model")).lines[0]).toMatchObject({ kind: "section", title: "demo" });
  });

  it("leaves rows and columns out that the filter empties, but none while pages are missing", () => {
    expect(pivot(cube, view("status=impossible")).columns).toEqual(["20"]);
    expect(pivot(cube, view("q=heun+12")).cells.map((cell) => cell.id)).toEqual(["heun-12-0"]);
    expect(pivot(cube, view("q=nothing")).lines).toEqual([]);
    const page = samplePage();
    const partial = makeCube([{ ...page, items: page.items.slice(0, 4) }]);
    expect(pivot(partial, view("", partial)).lines).toHaveLength(3);
  });

  it("filters by rating and favourite, and finds words of reasons and tags", () => {
    const page = samplePage();
    page.items = page.items.map((one, i) => (i === 0 ? { ...one, rating: 4, favourite: true, tags: ["keep"] } : one));
    const rated = makeCube([page]);
    for (const text of ["rating=3", "favourite=1", "q=keep"])
      expect(pivot(rated, view(text, rated)).cells.map((cell) => cell.id)).toEqual(["euler-4-0"]);
    expect(pivot(cube, view("q=memory")).cells.map((cell) => cell.id)).toEqual(["ddim-4-0"]);
  });

  it("sorts by a measure with what has none at the end, and by an axis in its own order", () => {
    const cells = chosenCells(cube, view("sort=sharpness"));
    expect(cells).toHaveLength(24);
    const down = sorted(cube, cells, "-sharpness", new Map());
    expect(down[0]?.id).toBe("ddim-20-0");
    expect(down.slice(-4).map((cell) => cell.generation.status)).toEqual([
      "impossible",
      "impossible",
      "failed",
      "failed",
    ]);
    expect(sorted(cube, cells, "steps", new Map())[0]?.id).toBe("euler-4-0");
    expect(sorted(cube, cells, "schedule", new Map())[0]?.id).toBe("euler-4-0");
    const sheet = listSheet(cube, down, 5, undefined);
    expect(rows(sheet).map((row) => row.slots.length)).toEqual([5, 5, 5, 5, 4]);
    expect(groupsOf(cube, down, "sampler").map((one) => one.title)).toEqual(["euler", "heun", "ddim"]);
  });

  it("keeps a list in place when cells change", () => {
    const [a, b, c] = cube.cells;
    if (!a || !b || !c) throw new Error("no cells");
    expect(keepOrder([b.id, a.id], [a, b, c])).toEqual({ cells: [b, a, c], changed: 2 });
    expect(keepOrder([a.id, "gone"], [a, c])).toEqual({ cells: [a, c], changed: 0 });
  });

  it("lays 10,000 cells out quickly", () => {
    const values = Array.from({ length: 100 }, (_, i) => ({ label: `v${i}`, value: i }));
    const items = Array.from({ length: 10_000 }, (_, i) =>
      generation({ id: String(i), cell: i, axes: { a: Math.floor(i / 100), b: i % 100 } }),
    );
    const page = samplePage();
    const big = makeCube([
      {
        ...page,
        run: { ...page.run, total: 10_000 },
        replicates: 1,
        items,
        axes: [
          { name: "a", values },
          { name: "b", values },
        ],
      },
    ]);
    const sheet = pivot(big, view("rows=a&cols=b", big));
    expect(sheet.cells).toHaveLength(10_000);
    expect(rows(sheet)[99]?.slots[99]?.[0]?.id).toBe("9999");
  });
});
