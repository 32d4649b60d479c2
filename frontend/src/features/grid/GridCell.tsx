// One cell: its picture, or a word on why there is none; its number when cells are coloured. It has no handlers of its
// own: the table listens for all of them.
import { memo } from "react";
import { type Generation, thumbnail } from "@/api/client";
import { useGeneration } from "@/api/live";
import { t } from "@/i18n";
import { type Cell, type Cube, describe } from "./cube";
import { formatMeasure, measureTitle } from "./measures";
import type { Painting } from "./paint";

interface Props {
  cell: Cell;
  left: number;
  top: number;
  width: number;
  height: number;
  cube: Cube;
  painting: Painting | undefined;
  /** Pixels to have of the picture; beyond the largest thumbnail the picture itself is loaded. */
  pixels: number;
  tabbable: boolean;
  selected: boolean;
  /** Its number among those to compare; 0: none. */
  mark: number;
}

export function sourceOf(generation: Generation, pixels: number): string | undefined {
  const density = globalThis.devicePixelRatio || 1;
  return pixels * density > 512 ? generation.image?.url : thumbnail(generation, pixels);
}

/** Text that fits the cell: lines by its height. */
const linesFor = (height: number): number => Math.max(1, Math.floor((height - 26) / 15));

function Reason({ generation, height }: { generation: Generation; height: number }) {
  const reason = generation.error?.message ?? t("grid.reasonless");
  return (
    <span data-word data-status={generation.status}>
      <b>{t(`common.status.${generation.status}`)}</b>
      {height >= 56 && (
        <span data-clamp style={{ WebkitLineClamp: linesFor(height) }}>
          {generation.status === "cancelled" && !generation.error ? "" : reason}
        </span>
      )}
    </span>
  );
}

function Running({ generation }: { generation: Generation }) {
  const { step } = useGeneration(generation.id, generation);
  const now = step ?? generation.progress ?? undefined;
  return (
    <>
      {step?.preview && <img src={step.preview} alt="" />}
      <span data-word data-status="running">
        {!step?.preview && <b>{t("common.status.running")}</b>}
        {now && !step?.preview && <span>{t("grid.step", { step: now.step, steps: now.steps })}</span>}
      </span>
      {now && <span data-bar style={{ width: `${(100 * now.step) / Math.max(now.steps, 1)}%` }} />}
    </>
  );
}

function Content({ cell, pixels, height }: Pick<Props, "cell" | "pixels" | "height">) {
  const { generation } = cell;
  const source = sourceOf(generation, pixels);
  if (source) return <img src={source} alt="" decoding="async" draggable={false} />;
  if (generation.status === "running") return <Running generation={generation} />;
  if (["failed", "cancelled", "impossible"].includes(generation.status))
    return <Reason generation={generation} height={height} />;
  return (
    <span data-word data-status={generation.status}>
      {generation.status === "succeeded" ? t("grid.noPicture") : t(`common.status.${generation.status}`)}
    </span>
  );
}

function Signs({ generation }: { generation: Generation }) {
  if (!generation.rating && !generation.favourite) return null;
  return (
    <span data-signs aria-hidden>
      {generation.favourite ? "♥" : ""}
      {generation.rating ? ` ${generation.rating}★` : ""}
    </span>
  );
}

/** What a cell is called: its place on the axes, its state and why, its number, its stars. */
export function labelOf(cube: Cube, painting: Painting | undefined, cell: Cell): string {
  const { generation } = cell;
  const value = painting?.value(cell);
  const parts = [describe(cube, cell) || generation.prompt];
  if (generation.status !== "succeeded") parts.push(t(`common.status.${generation.status}`));
  if (generation.error) parts.push(generation.error.message);
  if (painting && value !== undefined)
    parts.push(`${measureTitle(painting.measure)} ${formatMeasure(painting.measure, value)}`);
  if (generation.rating) parts.push(t("common.rating.stars", { n: generation.rating }));
  if (generation.favourite) parts.push(t("common.rating.favourite"));
  return parts.join(", ");
}

// Labels are made here and not by the line: a cell that stays on the screen is not drawn again while one scrolls.
export const GridCell = memo(function GridCell(props: Props) {
  const { cell, cube, painting, left, top, width, height, pixels, tabbable, selected, mark } = props;
  const tint = painting?.tint(cell);
  const paint = painting?.paint;
  return (
    <button
      type="button"
      data-cell={cell.id}
      aria-label={labelOf(cube, painting, cell)}
      data-selected={selected || undefined}
      tabIndex={tabbable ? 0 : -1}
      style={{ left, top, width, height }}
    >
      <Content cell={cell} pixels={pixels} height={height} />
      {tint && paint === "frame" && <span data-frame style={{ borderColor: tint.colour }} />}
      {tint && paint === "fill" && <span data-area style={{ background: tint.colour }} />}
      {tint && width >= 44 && (
        <span data-number style={{ background: tint.colour, color: tint.ink }}>
          {tint.text}
        </span>
      )}
      {width >= 56 && <Signs generation={cell.generation} />}
      {mark > 0 && <span data-mark>{mark}</span>}
    </button>
  );
});
