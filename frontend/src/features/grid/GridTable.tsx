// biome-ignore-all lint/a11y/useSemanticElements: a table's elements cannot be placed one by one, as a virtual grid needs
// biome-ignore-all lint/a11y/useFocusableInteractive: the buttons within cells have the focus, as in a grid of widgets
// The table on the screen: only its visible lines and columns exist, headers stay while one scrolls, one cell has the
// keyboard (a roving tab stop that exists even when it is scrolled away).
import { Box } from "@chakra-ui/react";
import { type RefObject, useEffect, useMemo, useRef } from "react";
import { t } from "@/i18n";
import type { Cube } from "./cube";
import { type Frame, RowLine, SectionLine } from "./GridLine";
import { divisions, firstPosition, positionOf, slotAt } from "./moves";
import type { Painting } from "./paint";
import type { Sheet } from "./pivot";
import { grid, useGrid } from "./store";
import { CAPTION, COLUMN_HEAD, GAP, SECTION, tableStyle } from "./style";
import { usePointing } from "./usePointing";
import { type Area, type Geometry, useWindow } from "./useWindow";
import { useZoomGestures } from "./useZoomGestures";
import { offsetsOf, type Span, scrollFor } from "./windowing";

export interface TableProps {
  box: RefObject<HTMLDivElement | null>;
  area: Area;
  cube: Cube;
  sheet: Sheet;
  /** A flat list: captions below cells instead of headers. */
  listed: boolean;
  rowTitle: string;
  columnTitle: string;
  cellWidth: number;
  cellHeight: number;
  rowHead: number;
  painting: Painting | undefined;
  detail: number;
  open: (id: string) => void;
}

export function geometryOf(sheet: Sheet, props: Pick<TableProps, "listed" | "cellWidth" | "cellHeight" | "rowHead">) {
  const { listed, cellWidth, cellHeight, rowHead } = props;
  const named = sheet.columns.some((title) => title !== "");
  const head = listed || (!named && !rowHead) ? 0 : COLUMN_HEAD;
  const line = cellHeight + GAP + (listed ? CAPTION : 0);
  return {
    offsets: offsetsOf(sheet.lines, line, SECTION),
    columns: sheet.columns.length,
    columnWidth: cellWidth + GAP,
    rowHead,
    head,
  };
}

interface HeadsProps {
  sheet: Sheet;
  geometry: Geometry;
  span: Span;
  width: number;
  rowTitle: string;
  columnTitle: string;
}

function Heads({ sheet, geometry, span, width, rowTitle, columnTitle }: HeadsProps) {
  const columns: number[] = [];
  for (let i = span.from; i < span.to; i++) columns.push(i);
  return (
    <div role="row" data-heads aria-rowindex={1} style={{ width, height: geometry.head }}>
      {geometry.rowHead > 0 && (
        <div role="columnheader" data-corner aria-colindex={1} style={{ width: geometry.rowHead }}>
          <span>{columnTitle && `${columnTitle} →`}</span>
          <span>{rowTitle && `${rowTitle} ↓`}</span>
        </div>
      )}
      {columns.map((i) => (
        <div
          key={i}
          role="columnheader"
          data-column
          aria-colindex={i + (geometry.rowHead ? 2 : 1)}
          title={sheet.columns[i]}
          style={{ left: geometry.rowHead + i * geometry.columnWidth, width: geometry.columnWidth }}
        >
          <span data-clamp style={{ WebkitLineClamp: 2 }}>
            {sheet.columns[i]}
          </span>
        </div>
      ))}
    </div>
  );
}

/** The keyboard called for a cell: it is scrolled to and gets the focus. */
function useCalled({ box, sheet, area }: TableProps, geometry: Geometry): void {
  const called = useGrid((state) => state.called);
  const answered = useRef(called);
  useEffect(() => {
    // Once for each call: what else changes must not scroll.
    if (answered.current === called) return;
    answered.current = called;
    const { active } = useGrid.getState();
    const table = box.current;
    const at = active === undefined ? undefined : positionOf(sheet, active);
    if (!table || !at || active === undefined) return;
    const { offsets, columnWidth, rowHead, head } = geometry;
    const top = offsets[at.line] ?? 0;
    const left = at.column * columnWidth;
    const next = {
      top: scrollFor(table.scrollTop, area.height - head, top, offsets[at.line + 1] ?? top),
      left: scrollFor(table.scrollLeft, area.width - rowHead, left, left + columnWidth),
    };
    if (next.top !== table.scrollTop || next.left !== table.scrollLeft)
      table.scrollTo({ ...next, behavior: "instant" });
    table.querySelector<HTMLElement>(`[data-cell="${CSS.escape(active)}"]`)?.focus({ preventScroll: true });
  }, [called, box, sheet, area, geometry]);
}

export function GridTable(props: TableProps) {
  const { box, area, cube, sheet, listed, cellWidth, cellHeight, rowHead, painting, detail } = props;
  const active = useGrid((state) => state.active);
  const selected = useGrid((state) => state.selected);
  const marks = useGrid((state) => state.marks);
  const geometry = useMemo(
    () => geometryOf(sheet, { listed, cellWidth, cellHeight, rowHead }),
    [sheet, listed, cellWidth, cellHeight, rowHead],
  );
  const spans = useWindow(box, geometry, area);
  const pointing = usePointing(props.open);
  useZoomGestures(box);
  useCalled(props, geometry);
  const stop = useMemo(() => (active ? positionOf(sheet, active) : undefined) ?? firstPosition(sheet), [sheet, active]);
  const tabbable = stop && slotAt(sheet, stop)[stop.sub]?.id;
  const fine = divisions(sheet.most);
  const frame = useMemo<Frame>(
    () => ({
      cube,
      width: cellWidth,
      height: cellHeight,
      fine,
      rowHead,
      listed,
      painting,
      detail,
      tabbable,
      selected,
      marks,
    }),
    [cube, cellWidth, cellHeight, fine, rowHead, listed, painting, detail, tabbable, selected, marks],
  );
  const { offsets, head } = geometry;
  const width = rowHead + sheet.columns.length * geometry.columnWidth;
  const lines: number[] = [];
  if (stop && stop.line < spans.lines.from) lines.push(stop.line);
  for (let i = spans.lines.from; i < spans.lines.to; i++) lines.push(i);
  if (stop && stop.line >= spans.lines.to) lines.push(stop.line);
  const wide = Math.max(width, area.width);
  return (
    <Box
      ref={box}
      css={tableStyle}
      role="grid"
      aria-label={t("grid.label")}
      aria-multiselectable
      aria-rowcount={sheet.lines.length + (head ? 1 : 0)}
      aria-colcount={sheet.columns.length + (rowHead ? 1 : 0)}
      onScroll={() => grid.hover(undefined)}
      {...pointing}
    >
      {head > 0 && (
        <Heads
          sheet={sheet}
          geometry={geometry}
          span={spans.columns}
          width={wide}
          rowTitle={props.rowTitle}
          columnTitle={props.columnTitle}
        />
      )}
      <div role="presentation" style={{ position: "relative", width, height: offsets[sheet.lines.length] }}>
        {lines.map((i) => {
          const line = sheet.lines[i];
          const index = i + (head ? 2 : 1);
          const top = offsets[i] ?? 0;
          if (line?.kind === "row")
            return (
              <RowLine
                key={i}
                row={line}
                index={index}
                top={top}
                width={wide}
                span={spans.columns}
                also={stop?.line === i ? stop.column : -1}
                frame={frame}
              />
            );
          return (
            line && (
              <SectionLine
                key={i}
                section={line}
                index={index}
                top={top}
                width={wide}
                height={SECTION}
                columns={sheet.columns.length + (rowHead ? 1 : 0)}
              />
            )
          );
        })}
      </div>
    </Box>
  );
}
