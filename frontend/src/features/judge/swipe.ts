// A finger's path as a verdict.
import type { Choice } from "./deck";

/** Pixels below which a path is a tap. */
const LEAST = 48;

/** Left and right choose a side, up says that both are equal; down scrolls. Slanted paths are no verdict. */
export function swipeOf(dx: number, dy: number): Choice | undefined {
  const across = Math.abs(dx);
  const along = Math.abs(dy);
  if (across >= LEAST && across > 1.5 * along) return dx < 0 ? "left" : "right";
  if (dy <= -LEAST && along > 1.5 * across) return "tie";
  return undefined;
}
