// Problems of the plan, sorted to the fields that show them.
import type { FieldProblem } from "@/api/client";

/** Of an axis at `pointer`: what concerns all its values, and the indexes of single values that are wrong. */
export function valueProblems(problems: FieldProblem[], pointer: string): { error?: string; wrong: Set<number> } {
  const wrong = new Set<number>();
  const texts = new Set<string>();
  for (const { pointer: at, expected } of problems) {
    const index = /^(?:\/values)?\/(\d+)/.exec(at.slice(pointer.length))?.[1];
    if (index !== undefined) wrong.add(Number(index));
    texts.add(expected);
  }
  return { error: texts.size ? [...texts].join("; ") : undefined, wrong };
}

/** The field that a problem belongs to: id of an axis or constraint, else a section. */
export function fieldOf(pointer: string, places: ReadonlyMap<string, string>): string {
  let best = "";
  let id = "";
  for (const [one, place] of places)
    if ((pointer === place || pointer.startsWith(`${place}/`)) && place.length > best.length) {
      best = place;
      id = one;
    }
  if (id) return id;
  if (pointer === "/base" || pointer === "/base/prompt") return "prompts";
  return pointer.split("/")[1] ?? "";
}
