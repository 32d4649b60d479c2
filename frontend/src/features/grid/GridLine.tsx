// biome-ignore-all lint/a11y/useSemanticElements: a table's elements cannot be placed one by one, as a virtual grid needs
// biome-ignore-all lint/a11y/useFocusableInteractive: the buttons within cells have the focus, as in a grid of widgets
// A line of the table: of it only the columns on the screen exist.
import { memo } from "react";
import { t } from "@/i18n";
import { type Cube, describe } from "./cube";
import { GridCell } from "./GridCell";
import type { Painting } from "./paint";
import type { Row, Section, Slot } from "./pivot";
import { CAPTION, GAP } from "./style";
import type { Span } from "./windowing";

/** What all lines of a table share; a new object when any of it changes. */
export interface Frame {
  cube: Cube;
  /** Of a slot, without the gap and the caption. */
  width: number;
  height: number;
  /** Columns that a slot is divided into. */
  fine: number;
  rowHead: number;
  listed: boolean;
  painting: Painting | undefined;
  /** How much larger than its box a picture is looked at. */
  detail: number;
  tabbable: string | undefined;
  selected: ReadonlySet<string>;
  marks: readonly string[];
}

function Cells({ slot, frame }: { slot: Slot; frame: Frame }) {
  const { fine } = frame;
  const width = Math.floor((frame.width - (fine - 1) * 2) / fine);
  const height = Math.floor((frame.height - (fine - 1) * 2) / fine);
  return slot.map((cell, i) => (
    <GridCell
      key={cell.id}
      cell={cell}
      left={(i % fine) * (width + 2)}
      top={Math.floor(i / fine) * (height + 2)}
      width={width}
      height={height}
      cube={frame.cube}
      painting={frame.painting}
      pixels={Math.max(width, height) * frame.detail}
      tabbable={cell.id === frame.tabbable}
      selected={frame.selected.has(cell.id)}
      mark={frame.marks.indexOf(cell.id) + 1}
    />
  ));
}

function SlotView({ slot, frame, column }: { slot: Slot; frame: Frame; column: number }) {
  const left = frame.rowHead + column * (frame.width + GAP) + GAP / 2;
  const [only] = slot;
  return (
    <div
      role="gridcell"
      data-slot
      aria-colindex={column + (frame.rowHead ? 2 : 1)}
      aria-selected={slot.some((cell) => frame.selected.has(cell.id))}
      style={{ left, width: frame.width, height: frame.height + (frame.listed ? CAPTION : 0) }}
    >
      {only ? <Cells slot={slot} frame={frame} /> : <span data-hole>{t("grid.hole")}</span>}
      {frame.listed && only && (
        <span data-caption data-clamp style={{ top: frame.height + 2, WebkitLineClamp: 2 }} aria-hidden>
          {describe(frame.cube, only) || only.generation.prompt}
        </span>
      )}
    </div>
  );
}

interface RowProps {
  row: Row;
  index: number;
  top: number;
  width: number;
  span: Span;
  /** Of the cell that has the keyboard: exists also when it is off the screen. */
  also: number;
  frame: Frame;
}

export const RowLine = memo(function RowLine({ row, index, top, width, span, also, frame }: RowProps) {
  const columns: number[] = [];
  if (also >= 0 && also < span.from && row.slots[also]) columns.push(also);
  for (let i = span.from; i < Math.min(span.to, row.slots.length); i++) columns.push(i);
  if (also >= span.to && row.slots[also]) columns.push(also);
  const height = frame.height + GAP + (frame.listed ? CAPTION : 0);
  return (
    <div role="row" data-line aria-rowindex={index} style={{ top: top + GAP / 2, width, height }}>
      {frame.rowHead > 0 && (
        <div role="rowheader" data-rowhead aria-colindex={1} style={{ width: frame.rowHead }} title={row.title}>
          <span data-clamp style={{ WebkitLineClamp: Math.max(1, Math.floor(frame.height / 16)) }}>
            {row.title}
          </span>
        </div>
      )}
      {columns.map((column) => (
        <SlotView key={column} slot={row.slots[column] ?? []} frame={frame} column={column} />
      ))}
    </div>
  );
});

interface SectionProps {
  section: Section;
  index: number;
  top: number;
  width: number;
  height: number;
  columns: number;
}

export const SectionLine = memo(function SectionLine({ section, index, top, width, height, columns }: SectionProps) {
  return (
    <div role="row" data-line aria-rowindex={index} style={{ top, width, height }}>
      <div role="rowheader" data-section aria-colindex={1} aria-colspan={columns}>
        {section.title} <span>{t("grid.cells", { n: section.count })}</span>
      </div>
    </div>
  );
});
