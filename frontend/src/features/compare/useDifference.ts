// The pixels of two pictures, scaled into the same box, and how they differ.
import { useEffect, useState } from "react";
import { contained, type Difference, difference, type Kind } from "./difference";

export interface Drawn {
  a: ImageData;
  b: ImageData;
}

async function bitmap(url: string): Promise<ImageBitmap> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return createImageBitmap(await response.blob());
}

export async function drawBoth(one: string, other: string): Promise<Drawn> {
  const bitmaps = await Promise.all([bitmap(one), bitmap(other)]);
  const width = Math.max(...bitmaps.map((each) => each.width));
  const height = Math.max(...bitmaps.map((each) => each.height));
  const [a, b] = bitmaps.map((each) => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no canvas");
    const at = contained(each.width, each.height, width, height);
    context.drawImage(each, at.x, at.y, at.width, at.height);
    each.close();
    return context.getImageData(0, 0, width, height);
  });
  if (!a || !b) throw new Error("no picture");
  return { a, b };
}

interface State {
  key: string;
  drawn?: Drawn;
  error?: unknown;
}

export interface Shown extends Difference {
  width: number;
  height: number;
}

export function useDifference(one: string | undefined, other: string | undefined, kind: Kind, gain: number) {
  const key = `${one}\n${other}`;
  const [state, setState] = useState<State>({ key: "" });
  const [made, setMade] = useState<{ of: string; shown: Shown }>();
  useEffect(() => {
    if (!one || !other) return;
    let ended = false;
    drawBoth(one, other).then(
      (drawn) => !ended && setState({ key, drawn }),
      (error: unknown) => !ended && setState({ key, error }),
    );
    return () => {
      ended = true;
    };
  }, [one, other, key]);
  const drawn = state.key === key ? state.drawn : undefined;
  const of = `${key}\n${kind}\n${gain}`;
  useEffect(() => {
    if (!drawn) return;
    const timer = setTimeout(() => {
      const { width, height } = drawn.a;
      setMade({ of, shown: { ...difference(drawn.a.data, drawn.b.data, kind, gain), width, height } });
    });
    return () => clearTimeout(timer);
  }, [drawn, kind, gain, of]);
  return {
    shown: made?.of.startsWith(key) ? made.shown : undefined,
    error: state.key === key ? state.error : undefined,
  };
}
