// What of the table is on the screen, and how large the screen is.
import { type RefObject, useCallback, useEffect, useState } from "react";
import { columnsIn, linesIn, type Span, sameSpan } from "./windowing";

export interface Area {
  width: number;
  height: number;
}

/** Before the first layout, and where there is none (tests): a desk's. */
const unknown: Area = { width: 1024, height: 640 };

export function useArea(ref: RefObject<HTMLElement | null>): Area {
  const [area, setArea] = useState(unknown);
  useEffect(() => {
    const box = ref.current;
    if (!box) return;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = box;
      if (width) setArea((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [ref]);
  return area;
}

export interface Geometry {
  offsets: Float64Array;
  columns: number;
  columnWidth: number;
  rowHead: number;
  head: number;
}

const SPARE_LINES = 2;
const SPARE_COLUMNS = 1;

interface Spans {
  lines: Span;
  columns: Span;
}

export function spansOf(geometry: Geometry, area: Area, left: number, top: number): Spans {
  const { offsets, columns, columnWidth, rowHead, head } = geometry;
  return {
    lines: linesIn(offsets, top, Math.max(0, area.height - head), SPARE_LINES),
    columns: columnsIn(columns, columnWidth, left, Math.max(0, area.width - rowHead), SPARE_COLUMNS),
  };
}

/** Spans of lines and columns, new only when a line or column comes or goes. */
export function useWindow(ref: RefObject<HTMLElement | null>, geometry: Geometry, area: Area): Spans {
  const [at, setAt] = useState({ left: 0, top: 0 });
  const now = spansOf(geometry, area, at.left, at.top);
  const look = useCallback(() => {
    const box = ref.current;
    if (!box) return;
    setAt((old) => {
      const next = { left: Math.max(0, box.scrollLeft), top: Math.max(0, box.scrollTop) };
      const was = spansOf(geometry, area, old.left, old.top);
      const is = spansOf(geometry, area, next.left, next.top);
      return sameSpan(was.lines, is.lines) && sameSpan(was.columns, is.columns) ? old : next;
    });
  }, [ref, geometry, area]);
  useEffect(() => {
    const box = ref.current;
    if (!box) return;
    box.addEventListener("scroll", look, { passive: true });
    return () => box.removeEventListener("scroll", look);
  }, [ref, look]);
  return now;
}
