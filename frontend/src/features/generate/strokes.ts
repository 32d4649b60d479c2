// A mask as it is painted: strokes in the picture's own pixels, drawn anew whenever they change. Pure but for the
// canvas that they are drawn on.
export interface Point {
  x: number;
  y: number;
}
export interface Stroke {
  /** Diameter, in pixels of the picture. */
  size: number;
  points: Point[];
}

/** From a place on the screen to the picture's pixels. */
export function pointAt(
  box: { left: number; top: number; width: number; height: number },
  size: { width: number; height: number },
  x: number,
  y: number,
): Point {
  return {
    x: ((x - box.left) / box.width) * size.width,
    y: ((y - box.top) / box.height) * size.height,
  };
}

/** The stroke in work with one more point. */
export const grown = (strokes: Stroke[], point: Point): Stroke[] => {
  const last = strokes.at(-1);
  return last ? [...strokes.slice(0, -1), { ...last, points: [...last.points, point] }] : strokes;
};

/** What the server reads: white on black. What a person sees must stand out from white pictures too. */
export const maskColours = { brush: "#fff", ground: "#000" };
export const shownColours = { brush: "#8760ee" };

export function paint(
  context: CanvasRenderingContext2D,
  strokes: Stroke[],
  { brush, ground }: { brush: string; ground?: string },
): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
  }
  context.strokeStyle = brush;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { size, points } of strokes) {
    const [first] = points;
    if (!first) continue;
    context.lineWidth = size;
    context.beginPath();
    context.moveTo(first.x, first.y);
    for (const { x, y } of points.slice(1)) context.lineTo(x, y);
    // A canvas draws no line of length 0, and where the brush was only put down there shall be a dot.
    context.lineTo((points.at(-1) ?? first).x + 0.01, (points.at(-1) ?? first).y);
    context.stroke();
  }
}
