// Cells coloured by a measure: the range over what is shown, and each cell's place in it.
import type { Cell } from "./cube";
import { formatMeasure, type Measure, type Measured, measureOf } from "./measures";
import { css, inkOn, partOf, type Range, rangeOf, viridis } from "./scale";
import type { Paint } from "./view";

export interface Tint {
  colour: string;
  ink: string;
  text: string;
}

export interface Painting {
  measure: Measure;
  paint: Paint;
  /** Undefined while no cell has the measure. */
  range: Range | undefined;
  value: (cell: Cell) => number | undefined;
  tint: (cell: Cell) => Tint | undefined;
}

export function makePainting(cells: readonly Cell[], measure: Measure, measured: Measured, paint: Paint): Painting {
  const value = (cell: Cell) => measureOf(cell.generation, measure, measured);
  const range = rangeOf(cells.map(value));
  const known = new Map<string, Tint>();
  const tint = (cell: Cell): Tint | undefined => {
    const number = value(cell);
    if (number === undefined || !range) return undefined;
    const made = known.get(cell.id);
    if (made) return made;
    const colour = viridis(partOf(range, number));
    const fresh = { colour: css(colour), ink: inkOn(colour), text: formatMeasure(measure, number) };
    known.set(cell.id, fresh);
    return fresh;
  };
  return { measure, paint, range, value, tint };
}
