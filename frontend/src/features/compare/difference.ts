// How two pictures differ, pixel by pixel.
import { viridis } from "@/features/grid/scale";

export type Kind = "absolute" | "heat";

export interface Difference {
  /** RGBA, as large as the pictures. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  /** Over all channels, 0 to 255. */
  mean: number;
  max: number;
  /** Share of pixels of which any channel differs, 0 to 1. */
  changed: number;
}

const scale = Array.from({ length: 256 }, (_, i) => viridis(i / 255));

/** Both RGBA and equally large. Heat: the channel that differs most, `gain` times, on an even scale. */
export function difference(a: Uint8ClampedArray, b: Uint8ClampedArray, kind: Kind, gain: number): Difference {
  const pixels = new Uint8ClampedArray(a.length);
  let sum = 0;
  let max = 0;
  let changed = 0;
  for (let i = 0; i < a.length; i += 4) {
    const red = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    const green = Math.abs((a[i + 1] ?? 0) - (b[i + 1] ?? 0));
    const blue = Math.abs((a[i + 2] ?? 0) - (b[i + 2] ?? 0));
    const most = Math.max(red, green, blue);
    sum += red + green + blue;
    if (most > max) max = most;
    if (most) changed++;
    const colour = kind === "heat" ? scale[Math.min(255, Math.round(most * gain))] : undefined;
    pixels[i] = colour ? colour[0] : red;
    pixels[i + 1] = colour ? colour[1] : green;
    pixels[i + 2] = colour ? colour[2] : blue;
    pixels[i + 3] = 255;
  }
  const count = Math.max(1, a.length / 4);
  return { pixels, mean: sum / (3 * count), max, changed: changed / count };
}

/** Where a picture stands in a box, whole and as large as it can be. */
export function contained(width: number, height: number, boxWidth: number, boxHeight: number) {
  const scaled = Math.min(boxWidth / width, boxHeight / height);
  const [w, h] = [width * scaled, height * scaled];
  return { x: (boxWidth - w) / 2, y: (boxHeight - h) / 2, width: w, height: h };
}
