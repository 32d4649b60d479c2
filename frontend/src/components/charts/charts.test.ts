import { expect, it } from "vitest";
import { seriesColour, seriesDash } from "./colours";
import { align, isWide, neighbour, range, readable, type Series } from "./series";

const point = (key: string, x: number, y: number, half = 0) => ({
  key,
  x,
  y,
  low: half ? y - half : null,
  high: half ? y + half : null,
  name: key,
});
const series: Series[] = [
  { key: "a", label: "a", line: true, points: [point("a1", 1, 5, 1), point("a3", 3, 6)] },
  { key: "b", label: "b", line: true, points: [point("b2", 2, 7), point("b4", 4, 8)] },
];

it("series share one rising column of x, with holes", () => {
  expect(align(series)).toEqual([
    [1, 2, 3, 4],
    [5, null, 6, null],
    [4, null, null, null],
    [6, null, null, null],
    [null, 7, null, 8],
    [null, null, null, null],
    [null, null, null, null],
  ]);
});

it("ranges leave room, also for one value and for none", () => {
  expect(range([0, 10], 0.1)).toEqual([-1, 11]);
  expect(range([5, null], 0.1)).toEqual([4.5, 5.5]);
  expect(range([null])).toEqual([0, 1]);
});

it("an interval that is far wider than the curve does not flatten it", () => {
  const wide = [{ ...series[0], points: [point("p", 1, 0.9, 50), point("q", 2, 1, 0.01)] } as Series];
  const [least, most] = readable(wide);
  expect(most - least).toBeLessThan(1);
  expect(readable(series)[0]).toBeLessThanOrEqual(4);
});

it("costs over orders of magnitude are logarithmic", () => {
  expect(isWide([0.1, 10])).toBe(true);
  expect(isWide([1, 10])).toBe(false);
  expect(isWide([0, 100])).toBe(false);
});

it("arrows go along a series and over to the nearest point of the next", () => {
  expect(neighbour(series, "a1", 1, 0)).toBe("a3");
  expect(neighbour(series, "a3", 1, 0)).toBe("a3");
  expect(neighbour(series, "a3", 0, 1)).toBe("b2");
  expect(neighbour(series, "b4", 0, -1)).toBe("a3");
  expect(neighbour(series, "gone", 0, 1)).toBe("a1");
});

it("more series than colours differ in their dashes", () => {
  expect(seriesColour(0, false)).not.toBe(seriesColour(1, false));
  expect(seriesColour(0, true)).toBe(seriesColour(8, true));
  expect(seriesDash(0)).not.toEqual(seriesDash(8));
});
