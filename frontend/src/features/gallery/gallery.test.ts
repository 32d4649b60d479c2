import { describe, expect, it } from "vitest";
import type { Generation } from "@/api/client";
import { parts } from "./batch";
import { activeFilters, filterOf, sortOf, withParameters } from "./filter";
import { moved, range, wallOf } from "./layout";
import { newsOf, type Pages, updated, withFresh } from "./newest";
import { selection, useSelection } from "./selection";

describe("the filter", () => {
  it("is read from the address", () => {
    const search = new URLSearchParams(
      "q=fox&steps=20&cfg_scale=x&seed=red&status=no&favourite=true&sort=steps&view=1",
    );
    expect(filterOf(search)).toEqual({ q: "fox", steps: 20, favourite: true, sort: "steps" });
    expect(filterOf(new URLSearchParams("sort=-created"))).toEqual({});
    expect(sortOf(new URLSearchParams("sort=nonsense"))).toBe("-created");
  });
  it("takes days as the reader's, the last one to its end", () => {
    const { created_after, created_before } = filterOf(
      new URLSearchParams("created_after=2026-03-01&created_before=2026-03-01"),
    );
    expect(Date.parse(created_before ?? "") - Date.parse(created_after ?? "")).toBe(86_400_000);
    expect(filterOf(new URLSearchParams("created_after=yesterday"))).toEqual({});
  });
  it("shows as chips and leaves the rest of the address alone", () => {
    const search = new URLSearchParams("view=1&tag=keep");
    expect(activeFilters(search)).toEqual([["tag", "keep"]]);
    expect(withParameters(search, { tag: undefined, q: "fox" }).toString()).toBe("view=1&q=fox");
  });
});

describe("the wall", () => {
  it("fills the width with as many columns as fit, two on phones", () => {
    expect(wallOf(1000, 176)).toEqual({ columns: 5, tile: 195 });
    expect(wallOf(366, 360).columns).toBe(2);
    expect(wallOf(200, 360).columns).toBe(1);
  });
  it("is walked by keys, and has ends", () => {
    expect(moved("ArrowRight", -1, 4, 10)).toBe(0);
    expect(moved("ArrowRight", 9, 4, 10)).toBe(9);
    expect(moved("ArrowLeft", 0, 4, 10)).toBe(0);
    expect(moved("ArrowDown", 1, 4, 10)).toBe(5);
    expect(moved("ArrowDown", 7, 4, 10)).toBe(9);
    expect(moved("ArrowUp", 2, 4, 10)).toBe(2);
    expect(moved("ArrowUp", 6, 4, 10)).toBe(2);
    expect([moved("Home", 5, 4, 10), moved("End", 5, 4, 10), moved("End", 5, 4, 0)]).toEqual([0, 9, -1]);
  });
  it("has ranges in both directions", () => {
    expect(range(["a", "b", "c", "d"], 2, 1)).toEqual(["b", "c"]);
    expect(range(["a", "b"], 0, 0)).toEqual(["a"]);
  });
});

describe("news", () => {
  const one = (id: string, more: Partial<Generation> = {}) =>
    ({ id, status: "succeeded", rating: null, favourite: false, tags: [], ...more }) as unknown as Generation;
  const pages = (...ids: string[]): Pages => ({
    pages: [{ items: ids.map((id) => one(id)), next_cursor: null }],
    pageParams: [""],
  });
  it("are what stands before the first that is known", () => {
    expect(newsOf(pages("b", "a"), [one("d"), one("c"), one("b")])).toMatchObject({ gap: false });
    expect(newsOf(pages("b", "a"), [one("d"), one("c"), one("b")]).fresh.map((it) => it.id)).toEqual(["d", "c"]);
    expect(newsOf(pages("a"), [one("z"), one("y")]).gap).toBe(true);
  });
  it("change what is known in its place, and nothing when nothing changed", () => {
    const before = pages("b", "a");
    expect(updated(before, [one("b")])).toBe(before);
    expect(updated(before, [one("b", { rating: 3 })]).pages[0]?.items[0]?.rating).toBe(3);
    expect(withFresh(before, [one("c"), one("b")]).pages[0]?.items.map((it) => it.id)).toEqual(["c", "b", "a"]);
    expect(withFresh(before, [])).toBe(before);
  });
});

describe("the selection", () => {
  it("toggles, extends from the last choice, and forgets what is gone", () => {
    selection.clear();
    selection.toggle("b");
    selection.extend(["a", "b", "c", "d"], "d");
    expect([...useSelection.getState().chosen]).toEqual(["b", "c", "d"]);
    selection.toggle("c");
    selection.drop(new Set(["d"]));
    expect([...useSelection.getState().chosen]).toEqual(["b"]);
    selection.all(["x"]);
    selection.call("x");
    expect(useSelection.getState()).toMatchObject({ active: "x" });
    selection.clear();
    expect(useSelection.getState().chosen.size).toBe(0);
  });
});

it("large batches are sent in parts", () => {
  expect(parts([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(parts([], 2)).toEqual([]);
});
