// The grid to come: rows by columns by panels, each cell coloured by what will become of it, and a slider that walks
// through the cells in the order of drawing.
import { Box, chakra, Flex, Heading, Text } from "@chakra-ui/react";
import { useEffect, useMemo, useState } from "react";
import type { Plan } from "@/api/client";
import { t } from "@/i18n";
import { zipPoints } from "../spec/edits";
import {
  cellStates,
  makePicture,
  type Panel,
  type Picture,
  type PictureCell,
  type Step,
  shorten,
} from "../spec/picture";
import { useForm } from "../store";
import { parameterLabel } from "../words";
import { cellLook } from "./colours";

const letter = 6.4;
/** For labels of rows: more where one panel has all the width. */
const labelWidth = (panels: number, width: number): number => (panels > 1 ? 76 : Math.max(76, width * 0.4));

/** Width of a box in CSS pixels. */
function useWidth(): [(node: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(320);
  const [node, setNode] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (!node) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    observer.observe(node);
    return () => observer.disconnect();
  }, [node]);
  return [setNode, width];
}

interface Geometry {
  cell: number;
  left: number;
  top: number;
  /** Column labels stand upright. */
  upright: boolean;
}

function geometry(picture: Picture, width: number): Geometry {
  const rows = picture.rows?.labels ?? [];
  const columns = picture.columns?.labels ?? [""];
  const longest = Math.max(0, ...rows.map((label) => label.length));
  const left = rows.length ? Math.min(labelWidth(picture.panels.length, width), Math.ceil(longest * letter) + 10) : 0;
  const cell = Math.max(5, Math.min(26, Math.floor((width - left) / columns.length)));
  const widest = Math.max(0, ...columns.map((label) => label.length)) * letter;
  const upright = widest > cell - 2;
  return { cell, left, upright, top: upright ? Math.min(66, widest + 8) : 16 };
}

const Rect = chakra("rect");
const Line = chakra("path");
const Label = chakra("text");

function Cell({
  cell,
  x,
  y,
  size,
  current,
}: {
  cell: PictureCell;
  x: number;
  y: number;
  size: number;
  current: boolean;
}) {
  const look = cellLook[cell.state];
  const gap = size > 8 ? 2 : 1;
  const side = size - gap;
  const cx = x + side / 2;
  const cy = y + side / 2;
  const arm = side / 4;
  return (
    <g>
      <Rect
        x={x + 0.5}
        y={y + 0.5}
        width={side - 1}
        height={side - 1}
        rx={side > 10 ? 3 : 1}
        fill={look.fill}
        stroke={current ? "fg" : look.stroke}
        strokeWidth={current ? 2.5 : 1}
        strokeDasharray={cell.state === "dropped" ? "2 2" : undefined}
      >
        <title>{t(`builder.picture.state.${cell.state}`) + (cell.reason ? `: ${cell.reason}` : "")}</title>
      </Rect>
      {look.mark === "cross" && (
        <Line
          d={`M${cx - arm} ${cy - arm}l${2 * arm} ${2 * arm}m0 ${-2 * arm}l${-2 * arm} ${2 * arm}`}
          stroke="red.solid"
          strokeWidth="1.2"
        />
      )}
      {look.mark === "dash" && <Line d={`M${cx - arm} ${cy}h${2 * arm}`} stroke="fg.muted" strokeWidth="1.2" />}
      {look.mark === "dot" && <circle cx={cx} cy={cy} r={Math.max(1, side / 6)} fill="currentColor" />}
    </g>
  );
}

function PanelPicture({
  picture,
  panel,
  shape,
  current,
}: {
  picture: Picture;
  panel: Panel;
  shape: Geometry;
  current: number;
}) {
  const rows = picture.rows?.labels ?? [""];
  const columns = picture.columns?.labels ?? [""];
  const { cell, left, top, upright } = shape;
  const width = left + columns.length * cell;
  const height = top + rows.length * cell;
  const text = { fontSize: "10px", fill: "fg.muted" } as const;
  return (
    <Box color="brand.fg">
      {panel.title && (
        <Text fontSize="xs" fontWeight="medium" color="fg" truncate title={panel.title}>
          {panel.title}
        </Text>
      )}
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {columns.map((label, index) => {
          const x = left + index * cell + cell / 2;
          return (
            <Label
              // biome-ignore lint/suspicious/noArrayIndexKey: labels may be equal, a column is its place
              key={index}
              {...text}
              x={x}
              y={top - 5}
              textAnchor={upright ? "start" : "middle"}
              transform={upright ? `rotate(-90 ${x} ${top - 5}) translate(0 ${letter / 2})` : undefined}
            >
              {shorten(label, upright ? top - 6 : cell, letter)}
              <title>{label}</title>
            </Label>
          );
        })}
        {rows.map((label, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: labels may be equal
          <g key={row}>
            <Label {...text} x={left - 6} y={top + row * cell + cell / 2 + 3} textAnchor="end">
              {left ? shorten(label, left - 6, letter) : ""}
              <title>{label}</title>
            </Label>
            {columns.map((_, column) => {
              const index = row * columns.length + column;
              const one = panel.cells[index];
              return (
                one && (
                  <Cell
                    // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
                    key={column}
                    cell={one}
                    x={left + column * cell}
                    y={top + row * cell}
                    size={cell}
                    current={current === index}
                  />
                )
              );
            })}
          </g>
        ))}
      </svg>
    </Box>
  );
}

function Legend({ picture }: { picture: Picture }) {
  const there = new Set(picture.panels.flatMap((panel) => panel.cells.map((cell) => cell.state)));
  return (
    <Flex as="ul" gap="3" wrap="wrap" listStyleType="none" fontSize="xs" color="fg.muted">
      {cellStates
        .filter((state) => there.has(state))
        .map((state) => (
          <Flex as="li" key={state} align="center" gap="1" color="fg.muted">
            <Box asChild color="brand.fg">
              <svg width="14" height="14" aria-hidden="true">
                <Cell cell={{ state }} x={0} y={0} size={15} current={false} />
              </svg>
            </Box>
            {t(`builder.picture.state.${state}`)}
          </Flex>
        ))}
    </Flex>
  );
}

/** In the order of drawing; keys, mouse and finger move it alike. */
function Walk({ steps, at, onChange }: { steps: Step[]; at: number; onChange: (at: number) => void }) {
  const step = steps[at];
  const text = step
    ? t("builder.picture.step", {
        n: at + 1,
        all: steps.length,
        label: step.label,
        state: t(`builder.picture.state.${step.state}`),
      })
    : "";
  return (
    <Box>
      <Box asChild w="full" h="6" accentColor="brand.solid">
        <input
          type="range"
          min={0}
          max={steps.length - 1}
          value={Math.max(0, at)}
          aria-label={t("builder.picture.order")}
          aria-valuetext={text || undefined}
          onChange={({ target }) => onChange(Number(target.value))}
        />
      </Box>
      <Text fontSize="xs" color="fg.muted" minH="10">
        {text || t("builder.picture.order")}
        {step?.reason && ` (${step.reason})`}
      </Text>
    </Box>
  );
}

function describe(picture: Picture): string {
  const name = (axis: { name: string } | undefined) => (axis ? parameterLabel(axis.name) : t("builder.picture.single"));
  return t("builder.picture.label", {
    rows: picture.rows?.labels.length ?? 1,
    rowAxis: name(picture.rows),
    columns: picture.columns?.labels.length ?? 1,
    columnAxis: name(picture.columns),
    panels: picture.panels.length,
  });
}

export function PlanPicture({ plan }: { plan: Plan }) {
  const form = useForm();
  const picture = useMemo(() => makePicture(plan, zipPoints(form)), [plan, form]);
  const [place, setPlace] = useState({ plan, at: -1 });
  const at = place.plan === plan ? place.at : -1;
  const [box, width] = useWidth();
  const shape = geometry(picture, width);
  const step = picture.steps[at];
  return (
    <Box>
      <Flex align="baseline" gap="2" mb="2" wrap="wrap">
        <Heading as="h3" size="xs">
          {t("builder.picture.title")}
        </Heading>
        <Text fontSize="xs" color="fg.muted">
          {[
            picture.columns && t("builder.picture.across", { axis: parameterLabel(picture.columns.name) }),
            picture.rows && t("builder.picture.down", { axis: parameterLabel(picture.rows.name) }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </Text>
      </Flex>
      <Box ref={box} role="img" aria-label={describe(picture)} overflow="hidden">
        <Flex wrap="wrap" gap="3">
          {picture.panels.map((panel, index) => (
            <PanelPicture
              key={panel.title}
              picture={picture}
              panel={panel}
              shape={shape}
              current={step?.panel === index ? step.cell : -1}
            />
          ))}
        </Flex>
      </Box>
      <Box mt="2">
        <Legend picture={picture} />
        {picture.steps.length > 1 && (
          <Walk steps={picture.steps} at={at} onChange={(next) => setPlace({ plan, at: next })} />
        )}
        {picture.hidden > 0 && (
          <Text fontSize="xs" color="fg.muted">
            {t("builder.picture.hidden", { n: picture.hidden })}
          </Text>
        )}
        {picture.partial && (
          <Text fontSize="xs" color="fg.muted">
            {t("builder.picture.partial", { n: picture.steps.length })}
          </Text>
        )}
      </Box>
    </Box>
  );
}
