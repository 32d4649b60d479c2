// Wheel with Ctrl (or the zoom mode), pinch, and dragging while zoomed: all of them move the same part of every
// picture. The look follows by style properties of the table, without drawing a cell again.
import { type RefObject, useEffect } from "react";
import { grid, useGrid } from "./store";
import { panned, pinchOf, transformOf, wheelFactor, type Zoom, zoomedAt } from "./zoom";

export interface BoxAt {
  /** Point within the cell, 0 to 1, and the size of the cell. */
  u: number;
  v: number;
  width: number;
  height: number;
}

function cellBox(target: EventTarget | null, x: number, y: number): BoxAt | undefined {
  const cell = target instanceof Element ? target.closest("[data-cell]") : null;
  if (!cell) return undefined;
  const box = cell.getBoundingClientRect();
  return { u: (x - box.left) / box.width, v: (y - box.top) / box.height, width: box.width, height: box.height };
}

function wheel(event: WheelEvent): void {
  const { zoomMode } = useGrid.getState();
  if (!(event.ctrlKey || event.metaKey || zoomMode)) return;
  event.preventDefault();
  const at = cellBox(event.target, event.clientX, event.clientY);
  grid.zoom((zoom) => zoomedAt(zoom, wheelFactor(event), at?.u ?? 0.5, at?.v ?? 0.5));
}

/** Two fingers zoom and pan; one finger scrolls, unless the zoom mode is on. */
function touches(table: HTMLElement): () => void {
  let last: { distance: number; x: number; y: number; box: BoxAt } | undefined;
  const look = (event: TouchEvent) => {
    const [one, other] = event.touches;
    const box = one && cellBox(event.target, one.clientX, one.clientY);
    if (!one || !box) return undefined;
    if (other) return { ...pinchOf(one, other), box };
    return useGrid.getState().zoomMode ? { distance: 0, x: one.clientX, y: one.clientY, box } : undefined;
  };
  const start = (event: TouchEvent) => {
    last = look(event);
    if (last && event.touches.length === 2) event.preventDefault();
  };
  const move = (event: TouchEvent) => {
    const now = look(event);
    if (!now || !last) return;
    event.preventDefault();
    const { box } = last;
    const was = last;
    if (now.distance && was.distance)
      grid.zoom((zoom) => zoomedAt(zoom, now.distance / was.distance, fraction(box.u), fraction(box.v)));
    grid.zoom((zoom) => panned(zoom, (now.x - was.x) / box.width, (now.y - was.y) / box.height));
    last = { ...now, box };
  };
  const end = (event: TouchEvent) => {
    last = look(event);
  };
  table.addEventListener("touchstart", start, { passive: false });
  table.addEventListener("touchmove", move, { passive: false });
  table.addEventListener("touchend", end);
  table.addEventListener("touchcancel", end);
  return () => {
    table.removeEventListener("touchstart", start);
    table.removeEventListener("touchmove", move);
    table.removeEventListener("touchend", end);
    table.removeEventListener("touchcancel", end);
  };
}

const fraction = (value: number): number => Math.min(1, Math.max(0, value));

/** A mouse drags pictures in the zoom mode; the click at the end of a drag is none. */
function drags(table: HTMLElement): () => void {
  let last: { x: number; y: number; box: BoxAt; moved: boolean } | undefined;
  const down = (event: PointerEvent) => {
    const { zoomMode } = useGrid.getState();
    const box = cellBox(event.target, event.clientX, event.clientY);
    if (event.pointerType === "touch" || event.button !== 0 || !zoomMode || !box) return;
    last = { x: event.clientX, y: event.clientY, box, moved: false };
    event.preventDefault();
  };
  const move = (event: PointerEvent) => {
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!last.moved && Math.hypot(dx, dy) < 4) return;
    const { box } = last;
    grid.zoom((zoom) => panned(zoom, dx / box.width, dy / box.height));
    last = { x: event.clientX, y: event.clientY, box, moved: true };
  };
  const up = () => {
    if (last?.moved)
      addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true, signal: soon() });
    last = undefined;
  };
  table.addEventListener("pointerdown", down);
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  return () => {
    table.removeEventListener("pointerdown", down);
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
  };
}

function soon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  return controller.signal;
}

function apply(table: HTMLElement, zoom: Zoom, zoomMode: boolean): void {
  const { scale, left, top } = transformOf(zoom);
  table.style.setProperty("--zoom", String(scale));
  table.style.setProperty("--zoom-x", left);
  table.style.setProperty("--zoom-y", top);
  if (scale > 1) table.dataset.zoomed = scale >= 6 ? "fine" : "";
  else delete table.dataset.zoomed;
  if (zoomMode) table.dataset.moving = "";
  else delete table.dataset.moving;
}

export function useZoomGestures(ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const table = ref.current;
    if (!table) return;
    const show = ({ zoom, zoomMode }: { zoom: Zoom; zoomMode: boolean }) => apply(table, zoom, zoomMode);
    show(useGrid.getState());
    const ends = [useGrid.subscribe(show), touches(table), drags(table)];
    table.addEventListener("wheel", wheel, { passive: false });
    return () => {
      for (const end of ends) end();
      table.removeEventListener("wheel", wheel);
    };
  }, [ref]);
}
