// The endless wall: rows of tiles, of which only those near the window exist.
import { Box } from "@chakra-ui/react";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Generation } from "@/api/client";
import { gap, wallOf } from "./layout";
import { useSelection } from "./selection";
import { Tile } from "./Tile";

const css = {
  "& .row": { display: "flex", gap: `${gap}px`, position: "absolute", left: 0, top: 0 },
  "& .tile": { position: "relative", flexShrink: 0, borderRadius: "6px", overflow: "hidden", background: "bg.muted" },
  "& .picture": {
    display: "block",
    width: "100%",
    height: "100%",
    cursor: "pointer",
    WebkitTouchCallout: "none",
    userSelect: "none",
    outlineOffset: "-3px",
  },
  "& .tile[data-active] .picture:focus-visible": { outline: "3px solid", outlineColor: "brand.focusRing" },
  "& .choose": {
    position: "absolute",
    top: "6px",
    left: "6px",
    width: "24px",
    height: "24px",
    accentColor: "{colors.brand.600}",
    opacity: 0,
    cursor: "pointer",
  },
  // White pictures end somewhere too.
  "& .tile::after": {
    content: '""',
    position: "absolute",
    inset: 0,
    borderRadius: "6px",
    boxShadow: "inset 0 0 0 1px rgba(128,128,128,0.25)",
    pointerEvents: "none",
  },
  "& .tile:hover .choose, & .tile:focus-within .choose, & .choose:checked, &[data-choosing] .choose": { opacity: 1 },
  "& .tile[data-chosen]": { boxShadow: "0 0 0 3px {colors.brand.600}" },
  "& .marks": {
    position: "absolute",
    right: "6px",
    bottom: "6px",
    display: "flex",
    alignItems: "center",
    gap: "3px",
    paddingInline: "6px",
    borderRadius: "999px",
    background: "rgba(0,0,0,0.72)",
    color: "white",
    fontSize: "11px",
    pointerEvents: "none",
  },
} as const;

interface Props {
  items: Generation[];
  tileSize: number;
  label: string;
  onPick: (id: string, how: "open" | "toggle" | "extend") => void;
  onFocus: (id: string) => void;
  onColumns: (columns: number) => void;
  /** Called when the end comes near. */
  onEnd: () => void;
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () =>
      setBox((old) => {
        const width = element.clientWidth;
        const top = Math.round(element.getBoundingClientRect().top + window.scrollY);
        return old.width === width && old.top === top ? old : { width, top };
      });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  return { ref, ...box };
}

/** The keyboard may lead to a tile that does not exist yet: its row first, then the focus. */
function useFocusActive(
  wall: RefObject<HTMLDivElement | null>,
  called: number,
  active: string | undefined,
  scroll: () => void,
): void {
  const seen = useRef(called);
  useEffect(() => {
    if (called === seen.current || active === undefined) return;
    seen.current = called;
    const find = () => wall.current?.querySelector<HTMLElement>(`[data-id="${active}"]`);
    if (!find()) scroll();
    const frame = requestAnimationFrame(() => {
      const target = find();
      target?.focus({ preventScroll: true });
      target?.scrollIntoView({ block: "nearest" });
    });
    return () => cancelAnimationFrame(frame);
  });
}

export function Wall({ items, tileSize, label, onPick, onFocus, onColumns, onEnd }: Props) {
  const { ref, width, top } = useWidth();
  const { columns, tile } = wallOf(width || 1, tileSize);
  const { chosen, active, called } = useSelection();
  const rows = Math.ceil(items.length / columns);
  const virtual = useWindowVirtualizer({
    count: width ? rows : 0,
    estimateSize: () => tile + gap,
    overscan: 4,
    scrollMargin: top,
  });
  const { measure, scrollToIndex } = virtual;
  // Rows have another height now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the size of the tile is the reason, not an input
  useEffect(() => measure(), [measure, tile]);
  useEffect(() => onColumns(columns), [onColumns, columns]);

  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows > 0 && last >= rows - 4) onEnd();
  }, [last, rows, onEnd]);

  const at = active === undefined ? -1 : items.findIndex((one) => one.id === active);
  useFocusActive(ref, called, active, () => scrollToIndex(Math.floor(at / columns), { align: "auto" }));
  const entry = at >= 0 ? active : items[0]?.id;
  return (
    <Box
      ref={ref}
      role="group"
      aria-label={label}
      css={css}
      data-wall
      data-choosing={chosen.size > 0 || undefined}
      position="relative"
      w="full"
      style={{ height: virtual.getTotalSize() }}
    >
      {shown.map((row) => (
        <div key={row.key} className="row" style={{ transform: `translateY(${row.start - top}px)` }}>
          {items.slice(row.index * columns, (row.index + 1) * columns).map((one) => (
            <Tile
              key={one.id}
              generation={one}
              size={tile}
              chosen={chosen.has(one.id)}
              active={one.id === active}
              entry={one.id === entry}
              onPick={onPick}
              onFocus={onFocus}
            />
          ))}
        </div>
      ))}
    </Box>
  );
}
