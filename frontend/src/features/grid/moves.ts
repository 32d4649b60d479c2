// Where a key leads in a sheet. A position is a line, a column, and which cell of a divided slot.
import type { Sheet, Slot } from "./pivot";

export interface Position {
  line: number;
  column: number;
  sub: number;
}

export type Move = "left" | "right" | "up" | "down" | "home" | "end" | "pageUp" | "pageDown" | "first" | "last";

/** How a slot is divided: columns of its small cells. */
export const divisions = (count: number): number => Math.ceil(Math.sqrt(Math.max(1, count)));

export function slotAt(sheet: Sheet, { line, column }: Pick<Position, "line" | "column">): Slot {
  const found = sheet.lines[line];
  return found?.kind === "row" ? (found.slots[column] ?? []) : [];
}

export const cellAt = (sheet: Sheet, at: Position) => slotAt(sheet, at)[at.sub];

function along(sheet: Sheet, at: Position, step: 1 | -1): Position {
  const fine = divisions(sheet.most);
  const sub = at.sub + step;
  const slot = slotAt(sheet, at);
  if (sub >= 0 && sub < slot.length && Math.floor(sub / fine) === Math.floor(at.sub / fine)) return { ...at, sub };
  const line = sheet.lines[at.line];
  const width = line?.kind === "row" ? line.slots.length : 0;
  for (let column = at.column + step; column >= 0 && column < width; column += step) {
    const next = slotAt(sheet, { line: at.line, column });
    if (!next.length) continue;
    const start = Math.floor(at.sub / fine) * fine;
    const wanted = step > 0 ? start : start + fine - 1;
    return { line: at.line, column, sub: Math.min(wanted, next.length - 1) };
  }
  return at;
}

/** The next line that has a cell in this column, `lines` away at least; the farthest one if there is none so far. */
function across(sheet: Sheet, at: Position, step: 1 | -1, lines: number): Position {
  const fine = divisions(sheet.most);
  if (lines === 1) {
    const sub = at.sub + step * fine;
    if (sub >= 0 && sub < slotAt(sheet, at).length) return { ...at, sub };
  }
  let last = at;
  for (let line = at.line + step; line >= 0 && line < sheet.lines.length; line += step) {
    const slot = slotAt(sheet, { line, column: at.column });
    if (!slot.length) continue;
    const lowest = Math.floor((slot.length - 1) / fine) * fine + (at.sub % fine);
    const sub = step > 0 ? at.sub % fine : lowest;
    last = { line, column: at.column, sub: Math.min(sub, slot.length - 1) };
    if (Math.abs(line - at.line) >= lines) break;
  }
  return last;
}

function edge(sheet: Sheet, line: number, step: 1 | -1): Position | undefined {
  const found = sheet.lines[line];
  if (found?.kind !== "row") return undefined;
  const column = step > 0 ? found.slots.findIndex((slot) => slot.length) : found.slots.findLastIndex((s) => s.length);
  if (column < 0) return undefined;
  return { line, column, sub: step > 0 ? 0 : (found.slots[column]?.length ?? 1) - 1 };
}

export function firstPosition(sheet: Sheet): Position | undefined {
  for (let line = 0; line < sheet.lines.length; line++) {
    const found = edge(sheet, line, 1);
    if (found) return found;
  }
  return undefined;
}

function lastPosition(sheet: Sheet): Position | undefined {
  for (let line = sheet.lines.length - 1; line >= 0; line--) {
    const found = edge(sheet, line, -1);
    if (found) return found;
  }
  return undefined;
}

/** `page`: lines of one screen. */
export function moved(sheet: Sheet, at: Position, move: Move, page: number): Position {
  switch (move) {
    case "left":
      return along(sheet, at, -1);
    case "right":
      return along(sheet, at, 1);
    case "up":
      return across(sheet, at, -1, 1);
    case "down":
      return across(sheet, at, 1, 1);
    case "pageUp":
      return across(sheet, at, -1, page);
    case "pageDown":
      return across(sheet, at, 1, page);
    case "home":
      return edge(sheet, at.line, 1) ?? at;
    case "end":
      return edge(sheet, at.line, -1) ?? at;
    case "first":
      return firstPosition(sheet) ?? at;
    case "last":
      return lastPosition(sheet) ?? at;
  }
}

/** Where a cell stands now; undefined when it is not shown. */
export function positionOf(sheet: Sheet, id: string): Position | undefined {
  for (let line = 0; line < sheet.lines.length; line++) {
    const found = sheet.lines[line];
    if (found?.kind !== "row") continue;
    for (let column = 0; column < found.slots.length; column++) {
      const sub = found.slots[column]?.findIndex((cell) => cell.id === id) ?? -1;
      if (sub >= 0) return { line, column, sub };
    }
  }
  return undefined;
}
