import { expect, it } from "vitest";
import type { Generation } from "@/api/client";
import { describeCell, describeSetting, hasSetting, placeOf, placesOf } from "./coordinates";

const sampler = {
  name: "sampler",
  parameter: "sampler",
  values: [
    { label: "euler", value: "euler" },
    { label: "LCM!", value: "lcm" },
  ],
};
const size = { name: "size", parameter: null, values: [{ label: "64, 64" }, { label: "96, 64" }] };

it("a coordinate is a value, a label, or the values of a zip", () => {
  expect(placeOf(placesOf(sampler), "lcm")).toBe(1);
  expect(placeOf(placesOf(sampler), "LCM!")).toBe(1);
  expect(placeOf(placesOf(size), { width: 96, height: 64 })).toBe(1);
  expect(placeOf(placesOf(size), "unheard of")).toBe(-1);
});

it("settings are shown with names and labels", () => {
  expect(describeSetting({ sampler: "lcm", size: { width: 64, height: 64 } }, [sampler, size])).toBe(
    "Sampler LCM!, size 64, 64",
  );
  expect(describeCell({ axes: null, seed: 7 } as Generation, [])).toBe("Seed 7");
});

it("a cell has a setting whatever its other axes are", () => {
  const cell = { axes: { sampler: "lcm", steps: 8, size: { width: 64, height: 64 } } };
  expect(hasSetting(cell, { sampler: "lcm", size: "64, 64" })).toBe(true);
  expect(hasSetting(cell, { steps: 4 })).toBe(false);
  expect(hasSetting({ axes: null }, { steps: 4 })).toBe(false);
});
