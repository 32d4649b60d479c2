// The same part of every picture: how large it is, and where. `x` and `y` are the middle of what is seen, from 0 to 1
// of the box that a picture stands in.
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export const whole: Zoom = { scale: 1, x: 0.5, y: 0.5 };
export const MOST = 32;

const held = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** No part outside the box is shown. */
export function bounded({ scale, x, y }: Zoom): Zoom {
  const size = held(scale, 1, MOST);
  const margin = 0.5 / size;
  return { scale: size, x: held(x, margin, 1 - margin), y: held(y, margin, 1 - margin) };
}

/** `u`, `v`: the point of the box, 0 to 1, under which the picture stays where it is. */
export function zoomedAt(zoom: Zoom, factor: number, u: number, v: number): Zoom {
  const scale = held(zoom.scale * factor, 1, MOST);
  const px = zoom.x + (u - 0.5) / zoom.scale;
  const py = zoom.y + (v - 0.5) / zoom.scale;
  return bounded({ scale, x: px - (u - 0.5) / scale, y: py - (v - 0.5) / scale });
}

/** `du`, `dv`: what the hand moved, in boxes. */
export const panned = (zoom: Zoom, du: number, dv: number): Zoom =>
  bounded({ ...zoom, x: zoom.x - du / zoom.scale, y: zoom.y - dv / zoom.scale });

/** For `transform-origin: 0 0` on an element as large as the box. */
export function transformOf({ scale, x, y }: Zoom): { scale: number; left: string; top: string } {
  const percent = (middle: number): string => `${((0.5 - middle * scale) * 100).toFixed(3)}%`;
  return { scale, left: percent(x), top: percent(y) };
}

/** A turn of the wheel as a factor: the same for lines, pages and pixels, and for a trackpad's pinch. */
export function wheelFactor(event: Pick<WheelEvent, "deltaY" | "deltaMode" | "ctrlKey">): number {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
  const pixels = held(event.deltaY * unit, -240, 240);
  return 2 ** (-pixels / (event.ctrlKey && Math.abs(pixels) < 40 ? 80 : 240));
}

export interface Pinch {
  distance: number;
  x: number;
  y: number;
}
type Point = { clientX: number; clientY: number };

export function pinchOf(one: Point, other: Point): Pinch {
  return {
    distance: Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)),
    x: (one.clientX + other.clientX) / 2,
    y: (one.clientY + other.clientY) / 2,
  };
}
