// What pointers do to cells, heard once for the whole table: hovering tells about a cell, a click opens it, with Ctrl
// or Shift it selects, and so does a long press of a finger; the focus makes it the one that keys are about.
import {
  type FocusEvent as ReactFocusEvent,
  type MouseEvent as ReactMouseEvent,
  type PointerEvent as ReactPointerEvent,
  useRef,
} from "react";
import { grid, useGrid } from "./store";

const LONG = 450;
const HOVER = 250;

export function cellOf(target: EventTarget | null): HTMLElement | undefined {
  const cell = target instanceof Element ? target.closest<HTMLElement>("[data-cell]") : null;
  return cell ?? undefined;
}

export function hoverOver(cell: HTMLElement): void {
  const { left, top, right, bottom } = cell.getBoundingClientRect();
  grid.hover({ id: cell.dataset.cell ?? "", box: { left, top, right, bottom } });
}

export function usePointing(open: (id: string) => void) {
  const press = useRef<{ timer: number; x: number; y: number; long: boolean }>(undefined);
  const rest = useRef(0);
  const stopPress = () => {
    if (press.current) clearTimeout(press.current.timer);
  };
  const leave = () => {
    clearTimeout(rest.current);
    grid.hover(undefined);
  };
  return {
    onClick: (event: ReactMouseEvent) => {
      const id = cellOf(event.target)?.dataset.cell;
      const long = press.current?.long;
      press.current = undefined;
      if (!id || long) return;
      const touch = (event.nativeEvent as PointerEvent).pointerType === "touch";
      grid.activate(id);
      if (event.ctrlKey || event.metaKey || event.shiftKey || (touch && useGrid.getState().selected.size))
        grid.select(id);
      else open(id);
    },
    onPointerDown: (event: ReactPointerEvent) => {
      const id = cellOf(event.target)?.dataset.cell;
      leave();
      // A second finger makes a pinch of it.
      stopPress();
      press.current = undefined;
      if (!event.isPrimary) return;
      if (!id || event.pointerType !== "touch") return;
      const timer = window.setTimeout(() => {
        if (press.current) press.current.long = true;
        navigator.vibrate?.(10);
        grid.activate(id);
        grid.select(id);
      }, LONG);
      press.current = { timer, x: event.clientX, y: event.clientY, long: false };
    },
    onPointerMove: (event: ReactPointerEvent) => {
      const at = press.current;
      if (at && Math.hypot(event.clientX - at.x, event.clientY - at.y) > 10) stopPress();
    },
    onPointerUp: stopPress,
    onPointerCancel: stopPress,
    onContextMenu: (event: ReactMouseEvent) => {
      if (press.current) event.preventDefault();
    },
    onPointerOver: (event: ReactPointerEvent) => {
      const cell = cellOf(event.target);
      if (!cell || event.pointerType === "touch") return;
      clearTimeout(rest.current);
      if (useGrid.getState().hovered) hoverOver(cell);
      else rest.current = window.setTimeout(() => cell.isConnected && hoverOver(cell), HOVER);
    },
    onPointerLeave: leave,
    // However the focus came there: the keys are about this cell.
    onFocus: (event: ReactFocusEvent) => {
      const id = cellOf(event.target)?.dataset.cell;
      if (id) grid.activate(id);
    },
  };
}
