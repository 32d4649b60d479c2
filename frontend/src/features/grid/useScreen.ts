// What the grid knows of the screen: how much of it is free, how it is pointed at, how sharp pictures must be.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useState, useSyncExternalStore } from "react";
import { useGrid } from "./store";

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Where an element begins on its page, so that it can take the rest of the window. */
export function useTop(ref: RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setTop(Math.round((ref.current?.getBoundingClientRect().top ?? 0) + scrollY));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [ref]);
  return top;
}

/** Zoomed pictures are loaded in the detail that is seen, once the hand rests; a power of two. */
export function useDetailWanted(): number {
  const scale = useGrid((state) => state.zoom.scale);
  const [detail, setDetail] = useState(1);
  useEffect(() => {
    const timer = setTimeout(() => setDetail(2 ** Math.ceil(Math.log2(scale))), 150);
    return () => clearTimeout(timer);
  }, [scale]);
  return detail;
}
