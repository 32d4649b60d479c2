// Which lines and columns of a large table are on the screen.
import type { Line } from "./pivot";

/** Where each line begins; one entry more than lines, the last is the height of all. */
export function offsetsOf(lines: readonly Line[], row: number, section: number): Float64Array {
  const offsets = new Float64Array(lines.length + 1);
  lines.forEach((line, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + (line.kind === "row" ? row : section);
  });
  return offsets;
}

/** Index of the line that holds `at`. */
export function lineAt(offsets: Float64Array, at: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** First, and one after the last. */
export interface Span {
  from: number;
  to: number;
}

export function linesIn(offsets: Float64Array, top: number, height: number, spare: number): Span {
  const count = offsets.length - 1;
  if (count <= 0) return { from: 0, to: 0 };
  return {
    from: Math.max(0, lineAt(offsets, top) - spare),
    to: Math.min(count, lineAt(offsets, top + height) + 1 + spare),
  };
}

export function columnsIn(count: number, width: number, left: number, visible: number, spare: number): Span {
  const from = Math.max(0, Math.floor(left / width) - spare);
  return { from: Math.min(from, count), to: Math.min(count, Math.ceil((left + visible) / width) + spare) };
}

export const sameSpan = (a: Span, b: Span): boolean => a.from === b.from && a.to === b.to;

/** How far to scroll so that `from`..`to` lies within `visible` from `now` on; `now` when it does already. */
export function scrollFor(now: number, visible: number, from: number, to: number): number {
  if (from < now) return from;
  return to > now + visible ? Math.min(from, to - visible) : now;
}
