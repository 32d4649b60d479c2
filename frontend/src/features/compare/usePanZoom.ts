// Wheel, drag and pinch on a box: the same zoom for all pictures that stand in such boxes.
import { type RefObject, useEffect } from "react";
import { panned, pinchOf, wheelFactor, type Zoom, zoomedAt } from "@/features/grid/zoom";

type Change = (change: (zoom: Zoom) => Zoom) => void;

const within = (box: DOMRect, x: number, y: number) => ({
  u: (x - box.left) / box.width,
  v: (y - box.top) / box.height,
});

/** The element that a gesture is about: the picture's box under the pointer, else the whole. */
const boxOf = (target: EventTarget | null, whole: HTMLElement): DOMRect =>
  ((target instanceof Element ? target.closest("[data-pane]") : null) ?? whole).getBoundingClientRect();

function listenTo(element: HTMLElement, change: Change): () => void {
  const pointers = new Map<number, { clientX: number; clientY: number }>();
  let box: DOMRect | undefined;
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { u, v } = within(boxOf(event.target, element), event.clientX, event.clientY);
    change((zoom) => zoomedAt(zoom, wheelFactor(event), u, v));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("[data-handle], button, input")))
      return;
    pointers.set(event.pointerId, event);
    box = boxOf(event.target, element);
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    if (!before || !box) return;
    const frame = box;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [was, now] = [pinchOf(before, other), pinchOf(event, other)];
      const { u, v } = within(frame, now.x, now.y);
      change((zoom) =>
        panned(
          zoomedAt(zoom, now.distance / was.distance, u, v),
          (now.x - was.x) / frame.width,
          (now.y - was.y) / frame.height,
        ),
      );
    } else {
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      change((zoom) => panned(zoom, dx / frame.width, dy / frame.height));
    }
    pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY });
  };
  const up = (event: PointerEvent) => pointers.delete(event.pointerId);
  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up } as const;
  element.addEventListener("wheel", wheel, { passive: false });
  for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener as EventListener);
  return () => {
    element.removeEventListener("wheel", wheel);
    for (const [name, listener] of Object.entries(listeners))
      element.removeEventListener(name, listener as EventListener);
  };
}

export function usePanZoom(ref: RefObject<HTMLElement | null>, change: Change): void {
  useEffect(() => (ref.current ? listenTo(ref.current, change) : undefined), [ref, change]);
}
