// Colour for a number. Viridis (van der Walt and Smith 2015): lightness grows evenly from dark to bright, so that it
// reads in grey and with any colour vision.
const stops: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
];

export type Rgb = readonly [number, number, number];

/** `part` from 0 to 1. */
export function viridis(part: number): Rgb {
  const place = Math.min(1, Math.max(0, Number.isNaN(part) ? 0 : part)) * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  const from = stops[low] ?? [0, 0, 0];
  const to = stops[low + 1] ?? from;
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - low));
  return [mix(0), mix(1), mix(2)];
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

const linear = (channel: number): number => {
  const part = channel / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
};

/** WCAG's relative luminance. */
export const luminance = ([r, g, b]: Rgb): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** Black or white, whichever is read better on it. */
export const inkOn = (colour: Rgb): string => (luminance(colour) > 0.179 ? "#000" : "#fff");

export interface Range {
  min: number;
  max: number;
}

export function rangeOf(values: Iterable<number | undefined>): Range | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === undefined) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : undefined;
}

/** 0 to 1; one value alone stands in the middle. */
export const partOf = (range: Range, value: number): number =>
  range.max > range.min ? (value - range.min) / (range.max - range.min) : 0.5;

export const gradient = `linear-gradient(to right, ${stops.map(css).join(", ")})`;
