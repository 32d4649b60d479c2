// From points with intervals to what a plot wants: one rising column of x for all series, holes where one has no point.

export interface ChartPoint {
  key: string;
  x: number;
  y: number;
  low: number | null;
  high: number | null;
  /** Read out, and shown under the pointer. */
  name: string;
  /** Stands out: the knee, the place of convergence. */
  mark?: "knee" | "converged" | "frontier";
}

export interface Series {
  key: string;
  label: string;
  points: ChartPoint[];
  /** Joined by a line, with a band from low to high. */
  line: boolean;
}

export type Aligned = (number | null)[][];

/** x, then three columns for each series: y, low, high. */
export function align(series: readonly Series[]): Aligned {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const at = new Map(xs.map((x, index) => [x, index]));
  const columns = series.flatMap(({ points }) => {
    const three = [0, 1, 2].map(() => new Array<number | null>(xs.length).fill(null));
    for (const { x, y, low, high } of points) {
      const index = at.get(x);
      if (index === undefined) continue;
      [y, low, high].forEach((value, column) => {
        const values = three[column];
        if (values) values[index] = value;
      });
    }
    return three;
  });
  return [xs, ...columns];
}

/** From the smallest to the largest with a little room; a single value gets room of its own. */
export function range(values: readonly (number | null)[], room = 0.06): [number, number] {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (!known.length) return [0, 1];
  const least = Math.min(...known);
  const most = Math.max(...known);
  const margin = (most - least || Math.abs(most) || 1) * room;
  return [least - margin, most + margin];
}

/** Intervals of few samples can be wider than all that is known; they are cut so that the points stay readable. */
export function readable(series: readonly Series[]): [number, number] {
  const points = series.flatMap((one) => one.points);
  const [least, most] = range(points.map(({ y }) => y));
  const height = most - least;
  const ends = points.flatMap(({ low, high }) => [low, high]);
  const [lowest, highest] = range([...ends, least, most], 0);
  return [Math.max(lowest, least - height), Math.min(highest, most + height)];
}

/** Spread over orders of magnitude: a logarithmic axis shows it. */
export function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length === values.length && values.length > 1 && Math.max(...positive) / Math.min(...positive) > 20;
}

/** Where the arrow keys lead: along a series with left and right, to the nearest point of another with up and down. */
export function neighbour(series: readonly Series[], key: string, dx: number, dy: number): string {
  const row = series.findIndex(({ points }) => points.some((point) => point.key === key));
  const points = series[row]?.points ?? [];
  const index = points.findIndex((point) => point.key === key);
  const here = points[index];
  if (!here) return series.find((one) => one.points.length)?.points[0]?.key ?? key;
  if (dx) return points[index + dx]?.key ?? key;
  const others = series.filter((one) => one.points.length);
  const at = others.indexOf(series[row] as Series);
  const other = others[(at - dy + others.length) % others.length];
  const nearest = other?.points.reduce((a, b) => (Math.abs(b.x - here.x) < Math.abs(a.x - here.x) ? b : a));
  return nearest?.key ?? key;
}
