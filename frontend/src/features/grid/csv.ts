// Cells as a table (RFC 4180). Texts that a spreadsheet would run as formulas begin with an apostrophe, as in the
// server's own export.
import type { Cell, Cube } from "./cube";
import { type Measured, measureOf, measures } from "./measures";

export function field(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const plain = ["status", "model", "sampler", "schedule", "steps", "cfg_scale", "seed", "width", "height"] as const;

export function csvOf(cube: Cube, cells: readonly Cell[], measured: Measured): string {
  const axes = cube.axes.map((axis) => axis.name);
  const others = plain.filter((name) => !axes.includes(name));
  const head = ["id", ...axes, ...others, "prompt_text", "rating", "favourite", "tags", "error", ...measures];
  const rows = cells.map((cell) => {
    const one = cell.generation;
    return [
      one.id,
      ...cube.axes.map((axis, i) => axis.values[cell.at[i] ?? 0]?.label),
      ...others.map((name) => one[name]),
      one.prompt,
      one.rating,
      one.favourite ? "yes" : "no",
      one.tags.join(" "),
      one.error?.message,
      ...measures.map((name) => measureOf(one, name, measured)),
    ];
  });
  return `${[head, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}
