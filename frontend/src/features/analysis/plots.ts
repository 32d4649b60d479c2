// An analysis as series of points. A point's key leads back to the setting that its pictures have.
import type { ChartPoint, Series } from "@/components/charts/series";
import { type Axis, describeSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { formatSeconds, t } from "@/i18n";
import { pointName, withInterval } from "./words";

export type Setting = Record<string, unknown>;

export interface Plot {
  series: Series[];
  /** Point's key to its setting. */
  settings: Map<string, Setting>;
}

export function curvesPlot(analysis: Analysis, axes: readonly Axis[]): Plot {
  const settings = new Map<string, Setting>();
  const axis = analysis.curve_axis ?? "";
  const series = analysis.curves.map((curve, index): Series => {
    const points = curve.points.flatMap((point): ChartPoint[] => {
      if (point === null || point.y.mean === null) return [];
      const key = `${index} ${point.x}`;
      settings.set(key, { ...curve.setting, [axis]: point.x });
      const mark = point.x === curve.converged?.x ? "converged" : point.x === curve.knee?.x ? "knee" : undefined;
      const name = pointName(curve, axis, point, axes) + (mark ? ` ${t(`analysis.marks.${mark}`)}` : "");
      return [{ key, x: point.x, y: point.y.mean, low: point.y.low, high: point.y.high, name, mark }];
    });
    return {
      key: String(index),
      label: describeSetting(curve.setting, axes) || t("analysis.everything"),
      points,
      line: true,
    };
  });
  return { series, settings };
}

/** All settings by time and measure, and those that no other beats in both, joined. */
export function costPlot(analysis: Analysis, axes: readonly Axis[]): Plot {
  const settings = new Map<string, Setting>();
  const frontier: ChartPoint[] = [];
  const others: ChartPoint[] = [];
  analysis.ranking.forEach((one, index) => {
    if (one.y.mean === null || one.seconds.mean === null) return;
    const key = String(index);
    settings.set(key, one.setting);
    const name = t("analysis.costPoint", {
      setting: describeSetting(one.setting, axes) || t("analysis.everything"),
      y: withInterval(one.y),
      time: formatSeconds(one.seconds.mean),
      n: one.seconds.n,
    });
    // Whiskers of every point would hide the points; the table and the name have the intervals.
    const point: ChartPoint = { key, x: one.seconds.mean, y: one.y.mean, low: null, high: null, name };
    (one.frontier ? frontier : others).push(point);
  });
  frontier.sort((a, b) => a.x - b.x);
  const series: Series[] = [
    { key: "frontier", label: t("analysis.frontier"), points: frontier, line: true },
    { key: "others", label: t("analysis.others"), points: others.sort((a, b) => a.x - b.x), line: false },
  ];
  return { series: series.filter((one) => one.points.length), settings };
}
