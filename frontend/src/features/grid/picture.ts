// The table as it stands on the screen, drawn anew on a canvas: cells with their pictures, numbers and words, headers
// with their labels.
const DENSITY = 2;

function colourOf(element: Element, name: "backgroundColor" | "color"): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at)[name];
    if (colour && colour !== "rgba(0, 0, 0, 0)" && colour !== "transparent") return colour;
  }
  return name === "color" ? "#000" : "#fff";
}

/** Words broken into lines no wider than `width`; what does not fit ends in dots. */
export function wrap(text: string, width: number, most: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line) lines.push(line);
  const kept = lines.slice(0, most);
  const shorten = (one: string, more: boolean): string => {
    let cut = one;
    while (cut && measure(more || cut !== one ? `${cut}…` : cut) > width) cut = cut.slice(0, -1);
    return more || cut !== one ? `${cut}…` : cut;
  };
  return kept.map((one, i) => shorten(one, i === most - 1 && lines.length > most));
}

interface Pen {
  context: CanvasRenderingContext2D;
  frame: DOMRect;
}

const boxIn = (element: Element, { frame }: Pen) => {
  const box = element.getBoundingClientRect();
  return { x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height };
};

function drawText(element: HTMLElement, pen: Pen, background: string | undefined): void {
  const { context } = pen;
  const box = boxIn(element, pen);
  const style = getComputedStyle(element);
  if (background) {
    context.fillStyle = background;
    context.fillRect(box.x, box.y, box.width, box.height);
  }
  context.font = `${style.fontWeight} ${style.fontSize} sans-serif`;
  context.fillStyle = style.color;
  context.textBaseline = "middle";
  const height = Number.parseFloat(style.fontSize) * 1.3;
  const most = Math.max(1, Math.floor(box.height / height));
  const text = element.innerText.replace(/\s+/g, " ").trim();
  const lines = wrap(text, box.width - 8, most, (one) => context.measureText(one).width);
  const centred = style.textAlign === "center" || style.justifyContent === "center";
  context.textAlign = centred ? "center" : "left";
  const x = centred ? box.x + box.width / 2 : box.x + 4;
  const first = box.y + box.height / 2 - ((lines.length - 1) * height) / 2;
  for (const [i, line] of lines.entries()) context.fillText(line, x, first + i * height);
}

/** `object-fit: contain`, and the zoom: the same part of the picture that is seen. */
function drawPicture(image: HTMLImageElement, cell: Element, pen: Pen): void {
  const { context } = pen;
  if (!image.complete || !image.naturalWidth) return;
  const clip = boxIn(cell, pen);
  const box = boxIn(image, pen);
  const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  context.save();
  context.beginPath();
  context.rect(clip.x, clip.y, clip.width, clip.height);
  context.clip();
  context.imageSmoothingEnabled = getComputedStyle(image).imageRendering !== "pixelated";
  context.drawImage(image, box.x + (box.width - width) / 2, box.y + (box.height - height) / 2, width, height);
  context.restore();
}

function drawCell(cell: HTMLElement, pen: Pen): void {
  const { context } = pen;
  const box = boxIn(cell, pen);
  context.fillStyle = colourOf(cell, "backgroundColor");
  context.fillRect(box.x, box.y, box.width, box.height);
  for (const image of cell.querySelectorAll("img")) drawPicture(image, cell, pen);
  const area = cell.querySelector<HTMLElement>("[data-area]");
  if (area) {
    context.globalAlpha = Number(getComputedStyle(area).opacity);
    context.fillStyle = area.style.background;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.globalAlpha = 1;
  }
  const edge = cell.querySelector<HTMLElement>("[data-frame]");
  if (edge) {
    context.strokeStyle = edge.style.borderColor;
    context.lineWidth = 4;
    context.strokeRect(box.x + 2, box.y + 2, box.width - 4, box.height - 4);
  }
  for (const word of cell.querySelectorAll<HTMLElement>("[data-word], [data-number], [data-signs], [data-mark]"))
    drawText(word, pen, word.matches("[data-word]") || area ? undefined : getComputedStyle(word).backgroundColor);
}

const seen = (box: DOMRect, frame: DOMRect): boolean =>
  box.right > frame.left && box.left < frame.right && box.bottom > frame.top && box.top < frame.bottom;

export async function pictureOf(table: HTMLElement): Promise<Blob> {
  const frame = new DOMRect(
    table.getBoundingClientRect().x,
    table.getBoundingClientRect().y,
    table.clientWidth,
    table.clientHeight,
  );
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, frame.width * DENSITY);
  canvas.height = Math.max(1, frame.height * DENSITY);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.scale(DENSITY, DENSITY);
  context.fillStyle = colourOf(table, "backgroundColor");
  context.fillRect(0, 0, frame.width, frame.height);
  const pen = { context, frame };
  const each = (selector: string, draw: (element: HTMLElement) => void) => {
    for (const one of table.querySelectorAll<HTMLElement>(selector))
      if (seen(one.getBoundingClientRect(), frame)) draw(one);
  };
  each("[data-cell]", (cell) => drawCell(cell, pen));
  each("[data-caption], [data-section]", (one) => drawText(one, pen, undefined));
  // In the order in which they lie over each other.
  each("[data-rowhead]", (one) => drawText(one, pen, colourOf(one, "backgroundColor")));
  each("[data-column]", (one) => drawText(one, pen, colourOf(one, "backgroundColor")));
  each("[data-corner]", (one) => drawText(one, pen, colourOf(one, "backgroundColor")));
  return new Promise((found, failed) =>
    canvas.toBlob((blob) => (blob ? found(blob) : failed(new Error("no picture"))), "image/png"),
  );
}
