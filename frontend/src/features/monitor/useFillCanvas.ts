// Paints the small picture of the grid: thumbnails where they can be seen, colours and marks where they cannot.
import { type RefObject, useEffect, useRef } from "react";
import { type Generation, thumbnail } from "@/api/client";
import { tokenColour, useThemeClass } from "@/components/charts/colours";
import { cornerOf, type Fill, type Geometry, type Placed } from "./fill";

/** Below this side a thumbnail is a smear. */
const PICTURE = 18;
/** Of so many cells, thumbnails would cost more than they show. */
const MOST_PICTURES = 2000;

type Pictures = Map<string, HTMLImageElement>;

function picture(pictures: Pictures, cell: Generation, size: number, repaint: () => void) {
  const url = thumbnail(cell, size);
  if (!url) return undefined;
  let image = pictures.get(url);
  if (!image) {
    image = new Image();
    image.decoding = "async";
    image.onload = repaint;
    image.src = url;
    pictures.set(url, image);
  }
  return image.complete && image.naturalWidth > 0 ? image : undefined;
}

/** As object-fit: cover. */
function cover(context: CanvasRenderingContext2D, image: HTMLImageElement, x: number, y: number, size: number): void {
  const side = Math.min(image.naturalWidth, image.naturalHeight);
  const left = (image.naturalWidth - side) / 2;
  const top = (image.naturalHeight - side) / 2;
  context.drawImage(image, left, top, side, side, x, y, size, size);
}

const fills: Record<Generation["status"], string> = {
  queued: "bg.muted",
  running: "brand.muted",
  succeeded: "brand.solid",
  failed: "bg.muted",
  cancelled: "bg.muted",
  impossible: "bg.muted",
};

/** What went wrong is not said by colour alone: failed has a cross, cancelled and impossible a stroke. */
function mark(context: CanvasRenderingContext2D, status: Generation["status"], x: number, y: number, size: number) {
  if (status === "queued" || status === "succeeded") return;
  const inset = size * 0.25;
  context.strokeStyle = tokenColour(
    status === "failed" ? "fg.error" : status === "running" ? "brand.focusRing" : "fg.muted",
  );
  context.lineWidth = Math.max(1, size / 12);
  if (status === "running") {
    context.strokeRect(x + 1, y + 1, size - 3, size - 3);
    return;
  }
  context.beginPath();
  context.moveTo(x + inset, y + size - inset - 1);
  context.lineTo(x + size - inset - 1, y + inset);
  if (status === "failed") {
    context.moveTo(x + inset, y + inset);
    context.lineTo(x + size - inset - 1, y + size - inset - 1);
  }
  context.stroke();
}

function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 0 && context.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return end ? `${text.slice(0, end)}…` : "";
}

function paintLabels(context: CanvasRenderingContext2D, fill: Fill, g: Geometry): void {
  context.fillStyle = tokenColour("fg.muted");
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const block = { width: fill.across * g.size, height: fill.down * g.size };
  if (g.top && block.width >= 14)
    fill.columns.forEach((label, index) => {
      context.fillText(fitText(context, label, block.width), g.left + index * (block.width + g.gap), g.top / 2);
    });
  if (g.left && block.height >= 11)
    fill.rows.forEach((label, index) => {
      const y = g.top + index * (block.height + g.gap) + block.height / 2;
      context.fillText(fitText(context, label, g.left - 8), 0, y);
    });
}

function paint(canvas: HTMLCanvasElement, fill: Fill, g: Geometry, active: Placed | undefined, load: Loader): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(g.width * ratio)) canvas.width = Math.round(g.width * ratio);
  if (canvas.height !== Math.round(g.height * ratio)) canvas.height = Math.round(g.height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, g.width, g.height);
  paintLabels(context, fill, g);
  const pictures = g.size >= PICTURE && fill.placed.length <= MOST_PICTURES;
  const inner = g.size > 5 ? g.size - 1 : g.size;
  const colours = Object.fromEntries(Object.entries(fills).map(([status, token]) => [status, tokenColour(token)]));
  for (const placed of fill.placed) {
    const [x, y] = cornerOf(fill, g, placed);
    const image = pictures && placed.cell.image ? load(placed.cell, g.size) : undefined;
    if (image) cover(context, image, x, y, inner);
    else {
      context.fillStyle =
        (pictures && placed.cell.image ? undefined : colours[placed.cell.status]) ?? colours.queued ?? "gray";
      context.fillRect(x, y, inner, inner);
      if (g.size > 5) mark(context, placed.cell.status, x, y, g.size);
    }
  }
  if (!active) return;
  const [x, y] = cornerOf(fill, g, active);
  context.strokeStyle = tokenColour("brand.focusRing");
  context.lineWidth = 2;
  context.strokeRect(x, y, inner, inner);
}

type Loader = (cell: Generation, size: number) => HTMLImageElement | undefined;

export function useFillCanvas(canvas: RefObject<HTMLCanvasElement | null>, fill: Fill, g: Geometry, active?: Placed) {
  const pictures = useRef<Pictures>(new Map());
  /** What a picture that has just been loaded asks for: the newest painting, whenever that is. */
  const repaint = useRef(() => {});
  const theme = useThemeClass();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is read from the page while painting
  useEffect(() => {
    let frame = 0;
    const loaded = () => repaint.current();
    const draw = () => {
      frame = 0;
      if (canvas.current)
        paint(canvas.current, fill, g, active, (cell, size) => picture(pictures.current, cell, size, loaded));
    };
    repaint.current = () => {
      frame ||= requestAnimationFrame(draw);
    };
    repaint.current();
    return () => cancelAnimationFrame(frame);
  }, [canvas, fill, g, active, theme]);
}
