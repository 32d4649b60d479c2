// Parameters of the compared pictures as rows of a table.
import type { Generation } from "@/api/client";
import { parameterTitle } from "@/features/grid/cube";
import { formatMeasure, measureOf, measures, measureTitle } from "@/features/grid/measures";
import { formatNumber } from "@/i18n";

export interface ParameterRow {
  name: string;
  title: string;
  texts: string[];
  differs: boolean;
}

function written(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : formatNumber(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What tells more stands first; what no picture has is left out. */
const first = ["model", "sampler", "schedule", "steps", "cfg_scale", "seed", "prompt", "negative_prompt"];

export function parameterRows(generations: readonly Generation[]): ParameterRow[] {
  const recipes = generations.map((one): Record<string, unknown> => one.parameters);
  const names = new Set([...first, ...recipes.flatMap((recipe) => Object.keys(recipe))]);
  const rows: ParameterRow[] = [];
  const add = (name: string, title: string, texts: string[]) => {
    if (texts.some((text) => text !== "–"))
      rows.push({ name, title, texts, differs: texts.some((text) => text !== texts[0]) });
  };
  for (const name of names)
    add(
      name,
      parameterTitle(name),
      recipes.map((recipe) => written(recipe[name])),
    );
  for (const name of measures)
    add(
      name,
      measureTitle(name),
      generations.map((one) => {
        const value = measureOf(one, name);
        return value === undefined ? "–" : formatMeasure(name, value);
      }),
    );
  return rows;
}

export const letterOf = (place: number): string => String.fromCharCode(65 + place);

/** Orders of what is compared, one step on or back. */
export function rotated<T>(list: readonly T[], step: 1 | -1): T[] {
  return step === 1 ? [...list.slice(1), ...list.slice(0, 1)] : [...list.slice(-1), ...list.slice(0, -1)];
}

/** "512 × 512, 768 × 512" when sizes differ, else nothing. */
export function differentSizes(generations: readonly Generation[]): string | undefined {
  const sizes = generations.map((one) => `${one.image?.width ?? one.width} × ${one.image?.height ?? one.height}`);
  return new Set(sizes).size > 1 ? sizes.join(", ") : undefined;
}
