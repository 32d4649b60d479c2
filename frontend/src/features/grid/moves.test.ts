import { describe, expect, it } from "vitest";
import { makeCube } from "./cube";
import { firstPosition, type Move, moved, positionOf, slotAt } from "./moves";
import { pivot } from "./pivot";
import { samplePage } from "./sample";
import { parseView } from "./view";

const cube = makeCube([samplePage()]);
const sheetOf = (text: string) => pivot(cube, parseView(new URLSearchParams(text), cube.axes));

function walk(text: string, from: string, ...moves: Move[]): string | undefined {
  const sheet = sheetOf(text);
  let at = positionOf(sheet, from);
  for (const move of moves) if (at) at = moved(sheet, at, move, 2);
  return at && slotAt(sheet, at)[at.sub]?.id;
}

describe("moves", () => {
  it("walks in both directions and stops at the edges", () => {
    expect(walk("", "euler-4-0", "right", "down")).toBe("heun-8-0");
    expect(walk("", "euler-4-0", "left", "up")).toBe("euler-4-0");
    expect(walk("", "euler-4-0", "end")).toBe("euler-20-0");
    expect(walk("", "heun-12-0", "home")).toBe("heun-4-0");
    expect(walk("", "euler-8-0", "pageDown")).toBe("ddim-8-0");
    expect(walk("", "ddim-8-0", "pageUp")).toBe("euler-8-0");
    expect(walk("", "heun-8-0", "last")).toBe("ddim-20-0");
    expect(walk("", "heun-8-0", "first")).toBe("euler-4-0");
  });

  it("passes over what is not shown and over section headings", () => {
    expect(walk("q=heun&group=sampler&rows=-", "heun-4-0", "down")).toBe("heun-4-0");
    expect(walk("group=sampler&rows=-", "euler-8-0", "down")).toBe("heun-8-0");
  });

  it("walks through the cells of a divided slot", () => {
    const divided = "tabs=-&at.replicate=all";
    expect(walk(divided, "euler-4-0", "right")).toBe("euler-4-1");
    expect(walk(divided, "euler-4-0", "right", "right")).toBe("euler-8-0");
    expect(walk(divided, "euler-8-0", "left")).toBe("euler-4-1");
    expect(walk(divided, "euler-4-1", "down")).toBe("heun-4-1");
  });

  it("has no first position in an empty sheet", () => {
    expect(firstPosition(sheetOf("q=nothing"))).toBeUndefined();
    expect(positionOf(sheetOf(""), "gone")).toBeUndefined();
  });
});
