// Geometry of the wall of tiles, and where the keys lead on it. Pure.
export const gap = 6;

export interface Wall {
  columns: number;
  /** CSS pixels of a tile's side. */
  tile: number;
}

/** As many columns as fit; tiles then fill the width. Phones keep two at least. */
export function wallOf(width: number, wanted: number): Wall {
  const columns = Math.max(width < 260 ? 1 : 2, Math.floor((width + gap) / (wanted + gap)));
  return { columns, tile: Math.max(1, Math.floor((width - gap * (columns - 1)) / columns)) };
}

const moves: Record<string, (at: number, columns: number, count: number) => number> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowUp: (at, columns) => (at - columns < 0 ? at : at - columns),
  ArrowDown: (at, columns, count) => (at + columns >= count ? count - 1 : at + columns),
  Home: () => 0,
  End: (_at, _columns, count) => count - 1,
};

/** The index that a key leads to from another; from nowhere, the first. */
export function moved(key: string, at: number, columns: number, count: number): number {
  if (count === 0) return -1;
  const to = at < 0 ? 0 : (moves[key]?.(at, columns, count) ?? at);
  return Math.min(count - 1, Math.max(0, to));
}

/** All from one to another, both ends, in either direction. */
export function range<T>(list: readonly T[], from: number, to: number): T[] {
  return list.slice(Math.max(0, Math.min(from, to)), Math.max(from, to) + 1);
}
