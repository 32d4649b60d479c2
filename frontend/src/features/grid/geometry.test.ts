// Zoom, windows of large tables, colours.
import { describe, expect, it } from "vitest";
import type { Line } from "./pivot";
import { css, inkOn, luminance, partOf, rangeOf, viridis } from "./scale";
import { columnsIn, lineAt, linesIn, offsetsOf, scrollFor } from "./windowing";
import { bounded, panned, pinchOf, transformOf, wheelFactor, whole, zoomedAt } from "./zoom";

describe("zoom", () => {
  it("keeps the point under the pointer where it is", () => {
    const zoom = zoomedAt(whole, 4, 0.75, 0.5);
    expect(zoom.scale).toBe(4);
    // What was at 0.75 of the box still is.
    expect((0.75 - zoom.x) * zoom.scale + 0.5).toBeCloseTo(0.75);
  });
  it("shows nothing outside the picture", () => {
    expect(bounded({ scale: 0.5, x: 3, y: -1 })).toEqual(whole);
    expect(panned({ scale: 2, x: 0.5, y: 0.5 }, 9, -9)).toEqual({ scale: 2, x: 0.25, y: 0.75 });
    expect(transformOf(whole)).toEqual({ scale: 1, left: "0.000%", top: "0.000%" });
    expect(transformOf({ scale: 2, x: 0.75, y: 0.25 })).toEqual({ scale: 2, left: "-100.000%", top: "0.000%" });
  });
  it("turns wheels and fingers into factors", () => {
    expect(wheelFactor({ deltaY: -240, deltaMode: 0, ctrlKey: false })).toBe(2);
    expect(wheelFactor({ deltaY: 15, deltaMode: 1, ctrlKey: true })).toBe(0.5);
    expect(pinchOf({ clientX: 0, clientY: 0 }, { clientX: 30, clientY: 40 })).toEqual({ distance: 50, x: 15, y: 20 });
  });
});

describe("windowing", () => {
  const lines: Line[] = [
    { kind: "section", title: "a", count: 2 },
    { kind: "row", title: "", slots: [] },
    { kind: "row", title: "", slots: [] },
  ];
  const offsets = offsetsOf(lines, 100, 30);
  it("knows which lines are seen", () => {
    expect([...offsets]).toEqual([0, 30, 130, 230]);
    expect([lineAt(offsets, 0), lineAt(offsets, 29), lineAt(offsets, 30), lineAt(offsets, 999)]).toEqual([0, 0, 1, 2]);
    expect(linesIn(offsets, 40, 50, 0)).toEqual({ from: 1, to: 2 });
    expect(linesIn(offsetsOf([], 1, 1), 0, 100, 2)).toEqual({ from: 0, to: 0 });
    expect(columnsIn(100, 50, 120, 200, 1)).toEqual({ from: 1, to: 8 });
    expect(columnsIn(3, 50, 0, 1000, 1)).toEqual({ from: 0, to: 3 });
  });
  it("scrolls no further than needed", () => {
    expect(scrollFor(100, 200, 150, 250)).toBe(100);
    expect(scrollFor(100, 200, 50, 150)).toBe(50);
    expect(scrollFor(100, 200, 300, 400)).toBe(200);
    expect(scrollFor(0, 50, 80, 180)).toBe(80);
  });
});

describe("scale", () => {
  it("grows brighter all the way", () => {
    const values = Array.from({ length: 21 }, (_, i) => luminance(viridis(i / 20)));
    expect(values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0))).toBe(true);
    expect(css(viridis(0))).toBe("rgb(68 1 84)");
  });
  it("writes on every colour with a contrast of 4.5", () => {
    for (let i = 0; i <= 50; i++) {
      const colour = viridis(i / 50);
      const ink = inkOn(colour) === "#000" ? 0 : 1;
      const [low, high] = [luminance(colour), ink].sort((a, b) => a - b);
      expect(((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)).toBeGreaterThan(4.5);
    }
  });
  it("has a range only where there are values", () => {
    expect(rangeOf([undefined, 3, 1])).toEqual({ min: 1, max: 3 });
    expect(rangeOf([undefined])).toBeUndefined();
    expect(partOf({ min: 2, max: 2 }, 2)).toBe(0.5);
  });
});
