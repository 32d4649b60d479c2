import { expect, it } from "vitest";
import type { ExperimentSpec } from "@/api/client";
import { extendable, extension, fieldOf } from "./extend";

const spec = {
  version: 1,
  type: "parameter_sweep",
  prompts: ["a"],
  axes: [
    {
      name: "size",
      zip: [
        { parameter: "width", values: [64] },
        { parameter: "height", values: [64] },
      ],
    },
    { name: "guidance", values: [{ label: "weak", set: { cfg_scale: 2 } }] },
    { variable: "colour", values: ["red"] },
  ],
} as unknown as ExperimentSpec;
const axes = [
  { name: "prompt", parameter: "prompt", values: [] },
  { name: "steps", parameter: "steps", numeric: true, values: [] },
  { name: "size", parameter: null, values: [] },
  { name: "guidance", parameter: null, values: [] },
  { name: "colour", parameter: null, values: [] },
];

it("named settings are objects: text cannot add to them", () => {
  expect(extendable(spec, axes)).toEqual([
    { axis: "steps", zipped: [], numeric: true },
    { axis: "size", zipped: ["width", "height"], numeric: false },
    { axis: "colour", zipped: [], numeric: false },
  ]);
});

it("only what was written is sent", () => {
  const found = extendable(spec, axes);
  const wanted = {
    values: { steps: " 40 ", "size/width": "96", "size/height": "64", colour: "" },
    prompts: "b\n\n c ",
    replicates: 3,
  };
  expect(extension(wanted, found)).toEqual({
    prompts: ["b", "c"],
    replicates: 3,
    axes: [
      { parameter: "steps", values: "40" },
      { parameter: "size", zip: { width: "96", height: "64" } },
    ],
  });
  expect(extension({ values: {}, prompts: " ", replicates: undefined }, found)).toBeUndefined();
});

it("problems find their field by name, index and zipped parameter", () => {
  const body = {
    axes: [
      { parameter: "steps", values: "x" },
      { parameter: "size", zip: { width: "y" } },
    ],
  };
  expect(fieldOf("/axes/steps", body)).toBe("steps");
  expect(fieldOf("/axes/0/values", body)).toBe("steps");
  expect(fieldOf("/axes/1/zip/width", body)).toBe("size/width");
  expect(fieldOf("/axes/size/width", body)).toBe("size/width");
  expect(fieldOf("/axes/other", body)).toBeUndefined();
  expect(fieldOf("/replicates", body)).toBe("replicates");
});
