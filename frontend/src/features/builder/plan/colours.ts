import type { CellState } from "../spec/picture";

/** Fill and pattern of a cell's state. Shape tells them apart too, for eyes that see few colours. */
export const cellLook: Record<CellState, { fill: string; stroke: string; mark?: "dot" | "cross" | "dash" }> = {
  draw: { fill: "brand.solid", stroke: "brand.solid" },
  existing: { fill: "brand.emphasized", stroke: "brand.solid", mark: "dot" },
  impossible: { fill: "bg.panel", stroke: "red.solid", mark: "cross" },
  dropped: { fill: "bg.panel", stroke: "border.emphasized" },
  cut: { fill: "bg.muted", stroke: "border.emphasized", mark: "dash" },
  unknown: { fill: "bg.muted", stroke: "border" },
};
