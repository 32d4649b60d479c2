import { describe, expect, it } from "vitest";
import { makeCube } from "./cube";
import { samplePage } from "./sample";
import { isFiltered, looseAxes, parseView, patched, transposed, withRole } from "./view";

const { axes } = makeCube([samplePage()]);
const at = (text: string) => parseView(new URLSearchParams(text), axes);

describe("view", () => {
  it("puts numbers across and samplers down unless the address says otherwise", () => {
    expect(at("")).toMatchObject({ rows: "sampler", cols: "steps", tabs: "replicate", tab: 0 });
    expect(at("tabs=-")).toMatchObject({ rows: "sampler", cols: "steps", tabs: undefined });
    expect(at("rows=steps&cols=replicate")).toMatchObject({ rows: "steps", cols: "replicate", tabs: "sampler" });
    expect(at("rows=nonsense&tab=99").rows).toBe("sampler");
  });

  it("reads everything back that it writes", () => {
    const search = patched(new URLSearchParams("keep=1"), {
      q: "red",
      status: "failed",
      rating: 3,
      favourite: true,
      colour: "sharpness",
      paint: "fill",
      sort: "-seconds",
      "at.replicate": "all",
      compare: "a,b,c,d,e",
    });
    const view = parseView(search, axes);
    expect(view).toMatchObject({ q: "red", status: "failed", rating: 3, favourite: true, colour: "sharpness" });
    expect(view).toMatchObject({ paint: "fill", sort: "-seconds", compare: ["a", "b", "c", "d"] });
    expect(view.at.get("replicate")).toBe("all");
    expect(isFiltered(view)).toBe(true);
    expect(search.get("keep")).toBe("1");
    expect(patched(search, { q: "", favourite: false, rating: undefined }).toString()).not.toMatch(
      /q=|favourite|rating/,
    );
  });

  it("swaps roles when an axis takes one that is taken", () => {
    expect(withRole(at(""), "rows", "steps")).toMatchObject({ rows: "steps", cols: "sampler" });
    expect(withRole(at(""), "tabs", undefined)).toMatchObject({ tabs: "-" });
    expect(transposed(at(""))).toEqual({ rows: "steps", cols: "sampler" });
  });

  it("has a chooser for each axis that is left", () => {
    expect(looseAxes(axes, at("tabs=-")).map((axis) => axis.name)).toEqual(["replicate"]);
    expect(looseAxes(axes, at("")).length).toBe(0);
  });
});
