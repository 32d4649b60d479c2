// Numbers of an analysis as words. Each says how many samples it rests on, and what cannot be said is said too.
import type { Schemas } from "@/api/client";
import type { Axis } from "@/features/experiment/coordinates";
import { axisName, describeSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { formatNumber, formatSeconds, t } from "@/i18n";

type Mean = Schemas["Mean"];
type Curve = Analysis["curves"][number];

/** Three significant digits: more is noise, fewer hide what a curve shows near 1. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return formatNumber(Math.round(value));
  if (size >= 0.9 && size < 1) return value.toFixed(4);
  return String(Number(value.toPrecision(3)));
}

export function withInterval(mean: Mean): string {
  if (mean.mean === null) return t("analysis.noValue");
  if (mean.low === null || mean.high === null) return t("analysis.single", { value: figure(mean.mean), n: mean.n });
  return t("analysis.interval", {
    value: figure(mean.mean),
    low: figure(mean.low),
    high: figure(mean.high),
    n: mean.n,
  });
}

/** A difference carries its sign. */
export function difference(mean: Mean): string {
  if (mean.mean === null) return "";
  const sign = mean.mean > 0 ? "+" : "";
  const value = sign + figure(mean.mean);
  if (mean.low === null || mean.high === null) return t("analysis.againstSingle", { value, n: mean.n });
  const sure = mean.low > 0 || mean.high < 0;
  return t(sure ? "analysis.against" : "analysis.againstUnsure", {
    value,
    low: figure(mean.low),
    high: figure(mean.high),
    n: mean.n,
  });
}

export const percent = (share: number): string => `${formatNumber(Math.round(share * 1000) / 10)} %`;

export function pointName(
  curve: Curve,
  axis: string,
  point: NonNullable<Curve["points"][number]>,
  axes: readonly Axis[],
) {
  return t("analysis.point", {
    setting: describeSetting(curve.setting, axes) || t("analysis.everything"),
    axis: axisName(axis),
    x: figure(point.x),
    y: withInterval(point.y),
    time: point.seconds.mean === null ? t("common.unknown") : formatSeconds(point.seconds.mean),
  });
}

/** What a curve comes to: where it bends, and from where on nothing that matters changes. */
export function summary(curve: Curve, axis: string): string {
  const { converged, knee } = curve;
  const parts: string[] = [];
  if (converged)
    parts.push(
      t("analysis.converged", {
        axis: axisName(axis),
        x: figure(converged.x),
        time: converged.seconds.mean === null ? t("common.unknown") : formatSeconds(converged.seconds.mean),
        n: converged.y.n,
      }),
    );
  else parts.push(t("analysis.notConverged"));
  parts.push(knee ? t("analysis.knee", { x: figure(knee.x) }) : t("analysis.noKnee"));
  return parts.join(" ");
}

/** Why there is less than one might look for. */
export function gaps(analysis: Analysis): string[] {
  const said: string[] = [];
  const { done = 0, cells = 0, measured = 0 } = analysis.counts;
  if (done < cells) said.push(t("analysis.gaps.unfinished", { done, cells }));
  if (done > 0 && measured === 0) said.push(t("analysis.gaps.unmeasured"));
  const counts = analysis.ranking.map(({ y }) => y.n);
  if (counts.length && Math.max(...counts) === 1) said.push(t("analysis.gaps.single"));
  if (done > 0 && !analysis.curves.length) said.push(t("analysis.gaps.noCurves"));
  return said;
}
