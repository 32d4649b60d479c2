// Numbers of an analysis as words. Each says how many samples it rests on, and what cannot be said is said too.
import type { Schemas } from "@/api/client";
import type { Axis } from "@/features/experiment/coordinates";
import { axisName, describeSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { formatNumber, formatSeconds, t } from "@/i18n";

type Mean = Schemas["Mean"];
type Curve = Analysis["curves"][number];

/** Three significant digits. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return formatNumber(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** As many decimals as the interval makes sense of. */
function rounded({ low, high }: Mean): (value: number) => string {
  const width = low === null || high === null ? 0 : high - low;
  if (!(width > 0)) return figure;
  const decimals = Math.min(8, Math.max(0, Math.round(-Math.log10(width)) + 1));
  return (value) => formatDecimals(value, decimals);
}

const formatDecimals = (value: number, decimals: number): string =>
  Math.abs(value) >= 1000 ? formatNumber(Math.round(value)) : value.toFixed(decimals).replace(/^-(0\.?0*)$/, "$1");

export function withInterval(mean: Mean): string {
  if (mean.mean === null) return t("analysis.noValue");
  const show = rounded(mean);
  if (mean.low === null || mean.high === null) return t("analysis.single", { value: show(mean.mean), n: mean.n });
  return t("analysis.interval", { value: show(mean.mean), low: show(mean.low), high: show(mean.high), n: mean.n });
}

/** A difference carries its sign. */
export function difference(mean: Mean): string {
  if (mean.mean === null) return "";
  const show = rounded(mean);
  const value = (mean.mean > 0 ? "+" : "") + show(mean.mean);
  if (mean.low === null || mean.high === null) return t("analysis.againstSingle", { value, n: mean.n });
  const sure = mean.low > 0 || mean.high < 0;
  const values = { value, low: show(mean.low), high: show(mean.high), n: mean.n };
  return t(sure ? "analysis.against" : "analysis.againstUnsure", values);
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
  const { done = 0, cells = 0, failed = 0, impossible = 0, measured = 0 } = analysis.counts;
  if (done + failed + impossible < cells) said.push(t("analysis.gaps.unfinished", { done, cells }));
  if (done > 0 && measured === 0) said.push(t("analysis.gaps.unmeasured"));
  const counts = analysis.ranking.map(({ y }) => y.n);
  if (counts.length && Math.max(...counts) === 1) said.push(t("analysis.gaps.single"));
  if (done > 0 && !analysis.curves.length) said.push(t("analysis.gaps.noCurves"));
  return said;
}
