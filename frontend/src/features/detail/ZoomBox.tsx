// A picture that can be looked at closely: wheel and pinch zoom where the pointer is, dragging pans, a double click goes
// in and out, a swipe over the whole picture goes to the next one.
import { Box } from "@chakra-ui/react";
import { type ReactNode, useEffect, useRef } from "react";
import { panned, pinchOf, transformOf, wheelFactor, type Zoom, zoomedAt } from "@/features/grid/zoom";

const SWIPE = 60;
export const CLOSE_UP = 3;

interface Props {
  zoom: Zoom;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
  /** -1: to the picture before, 1: to the one after. */
  onSwipe: (direction: 1 | -1) => void;
  label: string;
  children: ReactNode;
}

interface Held {
  x: number;
  y: number;
}

export function ZoomBox({ zoom, onZoom, onSwipe, label, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const pointers = useRef(new Map<number, Held>());
  const began = useRef<Held | undefined>(undefined);

  // React's own wheel listeners are passive: they cannot keep the page from scrolling.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top, width, height } = element.getBoundingClientRect();
      onZoom((old) =>
        zoomedAt(old, wheelFactor(event), (event.clientX - left) / width, (event.clientY - top) / height),
      );
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [onZoom]);

  const at = (x: number, y: number): [number, number] => {
    const area = box.current?.getBoundingClientRect();
    return area ? [(x - area.left) / area.width, (y - area.top) / area.height] : [0.5, 0.5];
  };
  const down = (event: React.PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    began.current = pointers.current.size === 1 ? { x: event.clientX, y: event.clientY } : undefined;
  };
  const move = (event: React.PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    const size = box.current?.getBoundingClientRect();
    if (!size) return;
    if (!other) {
      onZoom((old) => panned(old, (now.x - before.x) / size.width, (now.y - before.y) / size.height));
      return;
    }
    const point = (held: Held) => ({ clientX: held.x, clientY: held.y });
    const was = pinchOf(point(before), point(other));
    const is = pinchOf(point(now), point(other));
    const [u, v] = at(is.x, is.y);
    onZoom((old) =>
      panned(
        zoomedAt(old, is.distance / was.distance, u, v),
        (is.x - was.x) / size.width,
        (is.y - was.y) / size.height,
      ),
    );
  };
  const up = (event: React.PointerEvent) => {
    pointers.current.delete(event.pointerId);
    const from = began.current;
    began.current = undefined;
    if (!from || event.type === "pointercancel" || event.pointerType === "mouse" || zoom.scale > 1) return;
    const dx = event.clientX - from.x;
    if (Math.abs(dx) > SWIPE && Math.abs(dx) > 2 * Math.abs(event.clientY - from.y)) onSwipe(dx < 0 ? 1 : -1);
  };
  const { scale, left, top } = transformOf(zoom);
  return (
    <Box
      ref={box}
      role="group"
      aria-label={label}
      position="relative"
      w="full"
      h="full"
      overflow="hidden"
      touchAction={zoom.scale > 1 ? "none" : "pan-y"}
      cursor={zoom.scale > 1 ? "grab" : "zoom-in"}
      userSelect="none"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onDoubleClick={(event) => {
        const [u, v] = at(event.clientX, event.clientY);
        onZoom((old) => zoomedAt(old, old.scale > 1 ? 0 : CLOSE_UP, u, v));
      }}
    >
      <div
        data-zoom={scale.toFixed(2)}
        style={{
          position: "absolute",
          width: "100%",
          height: "100%",
          left,
          top,
          transformOrigin: "0 0",
          transform: `scale(${scale})`,
        }}
      >
        {children}
      </div>
    </Box>
  );
}
