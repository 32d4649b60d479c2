// Lines, bands and points over two numbers. uPlot paints lines, bands and axes; the points are buttons above it, so that
// pointer, touch, keyboard and screen readers reach each of them.
import { Box, Flex, Text } from "@chakra-ui/react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { seriesColour, seriesDash, tokenColour, useThemeClass } from "./colours";
import { Legend } from "./Legend";
import "uplot/dist/uPlot.min.css";
import { align, type ChartPoint, isWide, neighbour, readable, type Series } from "./series";

export interface Guide {
  y: number;
  label: string;
}

interface Props {
  label: string;
  xLabel: string;
  yLabel: string;
  series: Series[];
  guide?: Guide;
  selected?: string;
  onSelect: (key: string) => void;
  help: string;
}

const HEIGHT = 320;

interface Spot {
  point: ChartPoint;
  left: number;
  top: number;
  colour: string;
}

/** What changes the picture as a whole; the plot is then made anew, which takes a millisecond. */
interface Look {
  series: Series[];
  dark: boolean;
  /** Axes are painted in colours that are read from the page: another theme is another look. */
  theme: string;
  width: number;
  xLabel: string;
  yLabel: string;
  guide?: Guide;
}

function withAlpha(colour: string, alpha: string): string {
  return /^#[0-9a-f]{6}$/i.test(colour) ? colour + alpha : colour;
}

function plotSeries({ series, dark }: Look): uPlot.Series[] {
  return [
    {},
    ...series.flatMap(({ line }, index): uPlot.Series[] => {
      const hidden: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: true };
      return [
        {
          stroke: line ? seriesColour(index, dark) : "transparent",
          width: 2,
          dash: seriesDash(index),
          points: { show: false },
          spanGaps: true,
        },
        hidden,
        hidden,
      ];
    }),
  ];
}

function plotOptions(look: Look): uPlot.Options {
  const { series, dark, width, guide } = look;
  const points = series.flatMap((one) => one.points);
  const ink = tokenColour("fg.muted");
  const axis = { stroke: ink, grid: { stroke: tokenColour("border"), width: 1 }, ticks: { show: false } };
  const [least, most] = readable(series);
  const guided: [number, number] =
    guide && guide.y > least - (most - least) ? [Math.min(least, guide.y), Math.max(most, guide.y)] : [least, most];
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [12, 16, 0, 0],
    scales: {
      x: {
        time: false,
        distr: isWide(points.map(({ x }) => x)) ? 3 : 1,
        range: (_, min, max) => padded(min, max, isWide(points.map(({ x }) => x))),
      },
      y: { range: guided },
    },
    axes: [
      { ...axis, label: look.xLabel, labelSize: 20, size: 32 },
      { ...axis, label: look.yLabel, labelSize: 20, size: 52 },
    ],
    bands: series.flatMap(({ line }, index) =>
      line
        ? [
            {
              series: [3 * index + 3, 3 * index + 2] as [number, number],
              fill: withAlpha(seriesColour(index, dark), "26"),
            },
          ]
        : [],
    ),
    series: plotSeries(look),
    hooks: { draw: guide ? [(plot) => paintGuide(plot, guide, ink)] : [] },
  };
}

function padded(min: number, max: number, log: boolean): [number, number] {
  if (log) return [min / 1.3, max * 1.3];
  const room = (max - min || Math.abs(max) || 1) * 0.05;
  return [min - room, max + room];
}

function paintGuide(plot: uPlot, guide: Guide, ink: string): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(guide.y, "y", true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.fillStyle = ink;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(guide.label, bbox.left + bbox.width - 4, y - 3);
  ctx.restore();
}

function spotsOf(plot: uPlot, { series, dark }: Look): Spot[] {
  const left = plot.bbox.left / devicePixelRatio;
  const top = plot.bbox.top / devicePixelRatio;
  return series.flatMap(({ points }, index) =>
    points.map((point) => ({
      point,
      left: left + plot.valToPos(point.x, "x"),
      top: top + plot.valToPos(point.y, "y"),
      colour: seriesColour(index, dark),
    })),
  );
}

function usePlot(look: Look) {
  const host = useRef<HTMLDivElement>(null);
  const [spots, setSpots] = useState<Spot[]>([]);
  useEffect(() => {
    if (!host.current || !look.width) return;
    const plot = new uPlot(plotOptions(look), align(look.series) as uPlot.AlignedData, host.current);
    plot.root.setAttribute("aria-hidden", "true");
    // uPlot paints, and knows its scales, in a microtask of its own.
    let ended = false;
    queueMicrotask(() => !ended && setSpots(spotsOf(plot, look)));
    return () => {
      ended = true;
      plot.destroy();
    };
  }, [look]);
  return { host, spots };
}

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export default function PointChart({ label, xLabel, yLabel, series: all, guide, selected, onSelect, help }: Props) {
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  const theme = useThemeClass();
  const dark = theme.split(" ").includes("dark");
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const guideY = guide?.y;
  const guideLabel = guide?.label;
  const look = useMemo<Look>(
    () => ({
      // A series that is off keeps its place, so that the others keep their colours.
      series: all.map((one) => (off.has(one.key) ? { ...one, points: [] } : one)),
      dark,
      theme,
      width,
      xLabel,
      yLabel,
      guide: guideY === undefined ? undefined : { y: guideY, label: guideLabel ?? "" },
    }),
    [all, off, dark, width, xLabel, yLabel, guideY, guideLabel, theme],
  );
  const { host, spots } = usePlot(look);
  const focusable = spots.some(({ point }) => point.key === at) ? at : spots[0]?.point.key;
  const shown = spots.find(({ point }) => point.key === at)?.point;
  const onKey = (event: KeyboardEvent) => {
    const arrow = arrows[event.key];
    if (!arrow || !focusable) return;
    event.preventDefault();
    event.stopPropagation();
    const next = neighbour(look.series, focusable, ...arrow);
    setAt(next);
    box.current?.querySelector<HTMLElement>(`[data-point="${CSS.escape(next)}"]`)?.focus();
  };
  return (
    <Box>
      {all.length > 1 && (
        <Legend
          items={all.map(({ key, label: name }, index) => ({ key, label: name, colour: seriesColour(index, dark) }))}
          off={off}
          onToggle={(key) =>
            setOff((old) => new Set(old.has(key) ? [...old].filter((one) => one !== key) : [...old, key]))
          }
        />
      )}
      <Box ref={box} position="relative" h={`${HEIGHT}px`} minW="0" overflow="hidden">
        <div ref={host} />
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form's */}
        <div role="group" aria-label={label} onKeyDown={onKey}>
          {spots.map((spot) => (
            <Dot
              key={spot.point.key}
              spot={spot}
              pressed={spot.point.key === selected}
              focusable={spot.point.key === focusable}
              onFocus={() => setAt(spot.point.key)}
              onClick={() => onSelect(spot.point.key)}
            />
          ))}
        </div>
      </Box>
      <Text fontSize="xs" color="fg.muted" minH="9" lineClamp="2" aria-hidden>
        {shown?.name ?? help}
      </Text>
    </Box>
  );
}

interface DotProps {
  spot: Spot;
  pressed: boolean;
  focusable: boolean;
  onFocus: () => void;
  onClick: () => void;
}

function Dot({ spot: { point, left, top, colour }, pressed, focusable, onFocus, onClick }: DotProps) {
  const side = point.mark || pressed ? 14 : 9;
  return (
    <Flex
      as="button"
      data-point={point.key}
      aria-label={point.name}
      aria-pressed={pressed}
      tabIndex={focusable ? 0 : -1}
      position="absolute"
      left={`${left - 12}px`}
      top={`${top - 12}px`}
      boxSize="24px"
      align="center"
      justify="center"
      rounded="full"
      cursor="pointer"
      onFocus={onFocus}
      onPointerEnter={onFocus}
      onClick={onClick}
    >
      <Box
        boxSize={`${side}px`}
        rounded={point.mark === "knee" ? "none" : "full"}
        transform={point.mark === "knee" ? "rotate(45deg)" : undefined}
        bg={point.mark === "converged" ? "bg" : colour}
        borderWidth={point.mark === "converged" ? "3px" : "1px"}
        borderColor={point.mark === "converged" ? colour : "bg"}
        outline={pressed ? "2px solid" : undefined}
        outlineColor="fg"
      />
    </Flex>
  );
}
