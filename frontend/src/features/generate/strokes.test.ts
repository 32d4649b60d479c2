import { expect, it, vi } from "vitest";
import { grown, maskColours, paint, pointAt } from "./strokes";

it("finds the picture's pixel under the pointer", () => {
  const box = { left: 10, top: 20, width: 200, height: 100 };
  expect(pointAt(box, { width: 64, height: 32 }, 110, 70)).toEqual({ x: 32, y: 16 });
});

it("grows the last stroke only", () => {
  const strokes = [
    { size: 2, points: [{ x: 0, y: 0 }] },
    { size: 3, points: [{ x: 1, y: 1 }] },
  ];
  expect(grown(strokes, { x: 2, y: 2 })).toEqual([
    strokes[0],
    {
      size: 3,
      points: [
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ],
    },
  ]);
  expect(grown([], { x: 2, y: 2 })).toEqual([]);
});

it("paints white on what it is told, a dot where the brush was only put down", () => {
  const context = {
    canvas: { width: 8, height: 8 },
    clearRect: vi.fn(),
    fillRect: vi.fn(),
    beginPath: vi.fn(),
    moveTo: vi.fn(),
    lineTo: vi.fn(),
    stroke: vi.fn(),
  };
  paint(
    context as unknown as CanvasRenderingContext2D,
    [
      { size: 4, points: [{ x: 3, y: 3 }] },
      { size: 4, points: [] },
    ],
    maskColours,
  );
  expect(context.fillRect).toHaveBeenCalledWith(0, 0, 8, 8);
  expect(context.lineTo).toHaveBeenCalledWith(3.01, 3);
  expect(context.stroke).toHaveBeenCalledTimes(1);
});
