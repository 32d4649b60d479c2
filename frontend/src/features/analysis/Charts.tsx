// Convergence curves and cost against quality: the two figures that uPlot paints, in a chunk of their own.
import { Badge, Box, Stack, Text } from "@chakra-ui/react";
import { lazy, Suspense, useMemo } from "react";
import { Figure } from "@/components/charts/Figure";
import { Loading } from "@/components/states";
import { type Axis, axisName, describeSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { formatSeconds, t } from "@/i18n";
import { costPlot, curvesPlot, type Setting } from "./plots";
import { figure, summary, withInterval } from "./words";

const PointChart = lazy(() => import("@/components/charts/PointChart"));

export interface ChartProps {
  analysis: Analysis;
  axes: Axis[];
  /** What is looked at, by the key of its point. */
  selected?: string;
  onSelect: (key: string, setting: Setting) => void;
}

const unitOf = (analysis: Analysis): string => {
  const { title, unit } = analysis.measure_info ?? {};
  return `${title ?? analysis.measure}${unit ? ` (${unit})` : ""}`;
};

/** Where the curve may stop: lost at most the tolerance. Of measures that compare with nothing there is none. */
function toleranceLine(analysis: Analysis) {
  if (analysis.measure === "psnr") return { y: 30, label: "30 dB" };
  if (analysis.measure !== "ssim" && analysis.measure !== "ms_ssim") return undefined;
  const y = 1 - analysis.tolerance;
  return { y, label: t("analysis.toleranceLine", { y: figure(y) }) };
}

export function Curves({ analysis, axes, selected, onSelect }: ChartProps) {
  const { series, settings } = useMemo(() => curvesPlot(analysis, axes), [analysis, axes]);
  const axis = analysis.curve_axis ?? "";
  const rows = analysis.curves.flatMap((curve) =>
    curve.points.flatMap((point) =>
      point
        ? [
            {
              setting: describeSetting(curve.setting, axes) || t("analysis.everything"),
              x: figure(point.x),
              y: point.reference && point.y.mean === null ? t("analysis.isReference") : withInterval(point.y),
              seconds: withInterval(point.seconds),
            },
          ]
        : [],
    ),
  );
  return (
    <Figure
      title={t("analysis.curves.title", { axis: axisName(axis) })}
      note={t("analysis.curves.note")}
      columns={[
        { key: "setting", label: t("analysis.setting") },
        { key: "x", label: axisName(axis), numeric: true },
        { key: "y", label: unitOf(analysis) },
        { key: "seconds", label: t("common.measure.seconds") },
      ]}
      rows={rows}
    >
      <Suspense fallback={<Loading />}>
        <PointChart
          label={t("analysis.curves.points")}
          help={t("analysis.help")}
          xLabel={axisName(axis)}
          yLabel={unitOf(analysis)}
          series={series}
          guide={toleranceLine(analysis)}
          selected={selected}
          onSelect={(key) => onSelect(key, settings.get(key) ?? {})}
        />
      </Suspense>
      <Box as="ul" listStyleType="none" fontSize="xs" mt="2">
        {analysis.curves.map((curve) => (
          <Text as="li" key={curve.label} py="0.5">
            <Text as="span" fontWeight="medium">
              {describeSetting(curve.setting, axes) || t("analysis.everything")}
            </Text>{" "}
            {summary(curve, axis)}
          </Text>
        ))}
      </Box>
    </Figure>
  );
}

export function Cost({ analysis, axes, selected, onSelect }: ChartProps) {
  const { series, settings } = useMemo(() => costPlot(analysis, axes), [analysis, axes]);
  const { cheapest } = analysis;
  return (
    <Figure
      title={t("analysis.cost.title")}
      note={t("analysis.cost.note")}
      columns={[
        { key: "setting", label: t("analysis.setting") },
        { key: "seconds", label: t("common.measure.seconds") },
        { key: "y", label: unitOf(analysis) },
        { key: "frontier", label: t("analysis.frontier") },
      ]}
      rows={analysis.ranking.map((one) => ({
        setting: describeSetting(one.setting, axes),
        seconds: withInterval(one.seconds),
        y: withInterval(one.y),
        frontier: one.frontier ? t("common.yes") : "",
      }))}
    >
      <Suspense fallback={<Loading />}>
        <PointChart
          label={t("analysis.cost.points")}
          help={t("analysis.help")}
          xLabel={t("common.measure.seconds")}
          yLabel={unitOf(analysis)}
          series={series}
          selected={selected}
          onSelect={(key) => onSelect(key, settings.get(key) ?? {})}
        />
      </Suspense>
      {cheapest?.point && (
        <Stack direction="row" align="baseline" mt="2" fontSize="sm">
          <Badge colorPalette="green" variant="outline">
            {t("analysis.cost.cheapest")}
          </Badge>
          <Text>
            {t("analysis.cost.cheapestIs", {
              setting: [
                describeSetting(cheapest.setting, axes),
                analysis.curve_axis && `${axisName(analysis.curve_axis)} ${figure(cheapest.point.x)}`,
              ]
                .filter(Boolean)
                .join(", "),
              time:
                cheapest.point.seconds.mean === null ? t("common.unknown") : formatSeconds(cheapest.point.seconds.mean),
              n: cheapest.point.y.n,
            })}
          </Text>
        </Stack>
      )}
    </Figure>
  );
}
