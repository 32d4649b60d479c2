import { describe, expect, it } from "vitest";
import type { Plan } from "@/api/client";
import { arrange, makePicture, shorten, stateOf } from "./picture";

const axis = (name: string, values: unknown[], numeric = false, labels = values.map(String)) => ({
  name,
  numeric,
  values: values.map((value, i) => ({ label: labels[i] ?? "", value })),
});
const plan = (axes: Plan["axes"], preview: Plan["preview"] = [], more = {}): Plan => ({
  cells: preview.length,
  pictures: 0,
  existing: 0,
  impossible: 0,
  dropped: 0,
  to_draw: 0,
  model_loads: 0,
  estimated_seconds: null,
  estimated_bytes: null,
  samples: 0,
  axes,
  preview,
  ...more,
});
const cell = (axes: Record<string, unknown>, state = "draw", reason: string | null = null) => ({
  id: JSON.stringify(axes),
  axes,
  replicate: 0,
  state,
  reason,
});

describe("the picture of the grid", () => {
  it("puts the last numbers across, the longest other axis down, the rest into panels", () => {
    const axes = [
      axis("model", ["a", "b"]),
      axis("steps", [1, 2], true),
      axis("sampler", ["x", "y", "z"]),
      axis("rng", ["cpu"]),
    ];
    const { rows, columns, tabs } = arrange(axes);
    expect([rows?.name, columns?.name, tabs.map(({ name }) => name)]).toEqual(["sampler", "steps", ["model"]]);
    expect(arrange([])).toEqual({ rows: undefined, columns: undefined, tabs: [] });
    expect(arrange([axis("rng", ["cpu"])]).columns?.name).toBe("rng");
  });

  it("colours each cell by what will become of it", () => {
    const axes = [axis("sampler", ["x", "y"]), axis("steps", [1, 2], true)];
    const picture = makePicture(
      plan(axes, [
        cell({ sampler: "y", steps: 2 }, "drawn"),
        cell({ sampler: "x", steps: 1 }),
        cell({ sampler: "x", steps: 2 }, "impossible", "too many"),
      ]),
    );
    expect(picture.panels[0]?.cells.map(({ state }) => state)).toEqual(["draw", "impossible", "unknown", "existing"]);
    expect(picture.panels[0]?.cells[1]?.reason).toBe("too many");
    expect(picture.steps.map(({ label }) => label)).toEqual(["y · 2", "x · 1", "x · 2"]);
    expect(picture.partial).toBe(false);
  });

  it("shows of replicates the state that matters most", () => {
    const picture = makePicture(plan([axis("steps", [1], true)], [cell({ steps: 1 }), cell({ steps: 1 }, "drawn")]));
    expect(picture.panels[0]?.cells).toEqual([{ state: "draw", reason: undefined }]);
  });

  it("finds the points of axes in lock-step by their values", () => {
    const size = { name: "size", values: [{ label: "wide" }, { label: "64, 96" }] };
    const points = {
      size: [
        { width: 96, height: 64 },
        { width: 64, height: 96 },
      ],
    };
    const picture = makePicture(plan([size], [cell({ size: points.size[1] }, "dropped")]), points);
    expect(picture.panels[0]?.cells.map(({ state }) => state)).toEqual(["unknown", "dropped"]);
  });

  it("says what did not fit", () => {
    const axes = [axis("a", ["1", "2", "3"]), axis("b", ["1", "2"]), axis("steps", [1, 2, 3], true)];
    const picture = makePicture(
      plan(axes, [cell({ a: "3", b: "2", steps: 3 })], { cells: 18 }),
      {},
      { rows: 2, columns: 2, panels: 1 },
    );
    expect(picture.hidden).toBe(1 + 1 + 1);
    expect(picture.panels).toHaveLength(1);
    expect(picture.panels[0]?.title).toBe("1");
    expect(picture.steps[0]?.panel).toBe(-1);
    expect(picture.partial).toBe(true);
  });

  it("names states and shortens labels", () => {
    expect([stateOf("cut"), stateOf("what")]).toEqual(["cut", "unknown"]);
    expect([shorten("dpmpp_2m", 100), shorten("dpmpp_2m", 30)]).toEqual(["dpmpp_2m", "dpmp…"]);
  });
});
