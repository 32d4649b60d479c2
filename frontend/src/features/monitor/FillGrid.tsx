// The grid filling in: one small square per cell. The canvas shows, the element around it speaks: a grid of one visible
// cell, moved by the arrow keys.
import { Box, Flex, HStack, NativeSelect, Text } from "@chakra-ui/react";
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import type { Generation } from "@/api/client";
import { useDetail } from "@/features/detail/useDetail";
import { type Axis, axisName, describeCell } from "@/features/experiment/coordinates";
import { t } from "@/i18n";
import { arrange, defaultAxes, type Fill, geometry, hit, type Placed, step } from "./fill";
import { useFillCanvas } from "./useFillCanvas";

const HEIGHT = 420;

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!ref.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width] as const;
}

/** Axes of columns and rows, from the address, else the likely ones. */
function useFillAxes(axes: readonly Axis[]) {
  const [search, setSearch] = useSearchParams();
  const likely = useMemo(() => defaultAxes(axes), [axes]);
  const named = (key: "across" | "down", usual: string | undefined) => {
    const wanted = search.get(key) ?? usual;
    return axes.find((axis) => axis.name === wanted);
  };
  const choose = (key: "across" | "down", name: string) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        next.set(key, name);
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  return { column: named("across", likely.column), row: named("down", likely.row), choose };
}

export function FillGrid({ cells, axes, running }: { cells: Generation[]; axes: Axis[]; running: boolean }) {
  const { column, row, choose } = useFillAxes(axes);
  const fill = useMemo(() => arrange(cells, column, row), [cells, column, row]);
  const title = useId();
  return (
    <Box as="section" aria-labelledby={title}>
      <Flex gap="3" wrap="wrap" align="center" mb="2">
        <Text as="h2" id={title} fontWeight="semibold" flex="1" minW="24">
          {t(running ? "monitor.fill.title" : "monitor.fill.done")}
        </Text>
        {axes.length > 1 && (
          <HStack gap="2">
            <AxisSelect name="across" value={column?.name ?? ""} axes={axes} onChange={choose} />
            <AxisSelect name="down" value={row?.name ?? ""} axes={axes} onChange={choose} />
          </HStack>
        )}
      </Flex>
      <FillCanvas fill={fill} axes={axes} labelledBy={title} />
    </Box>
  );
}

interface SelectProps {
  name: "across" | "down";
  value: string;
  axes: Axis[];
  onChange: (name: "across" | "down", axis: string) => void;
}

function AxisSelect({ name, value, axes, onChange }: SelectProps) {
  return (
    <NativeSelect.Root size="xs" w="auto">
      <NativeSelect.Field
        aria-label={t(`monitor.fill.${name}`)}
        value={value}
        onChange={({ target }) => onChange(name, target.value)}
      >
        {axes.map((axis) => (
          <option key={axis.name} value={axis.name}>
            {axisName(axis.name)}
          </option>
        ))}
        <option value="">{t("common.none")}</option>
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function FillCanvas({ fill, axes, labelledBy }: { fill: Fill; axes: Axis[]; labelledBy: string }) {
  const [box, width] = useWidth();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<string>();
  const detail = useDetail();
  const id = useId();
  const g = useMemo(() => geometry(fill, width || 320, HEIGHT), [fill, width]);
  const active = at === undefined ? undefined : fill.placed.find(({ cell }) => cell.id === at);
  useFillCanvas(canvas, fill, g, active);

  const open = (placed: Placed | undefined) =>
    placed &&
    detail.open(
      placed.cell.id,
      fill.placed.map(({ cell }) => cell.id),
    );
  const under = (event: PointerEvent) => {
    const place = event.currentTarget.getBoundingClientRect();
    return hit(fill, g, event.clientX - place.left, event.clientY - place.top);
  };
  const onKey = (event: KeyboardEvent) => {
    const from = active ?? fill.placed[0];
    const arrow = arrows[event.key];
    if (!from || (!arrow && !["Enter", "Home", "End"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (arrow) setAt(active ? step(fill.placed, from, ...arrow).cell.id : from.cell.id);
    else if (event.key === "Enter") open(active);
    else setAt(fill.placed.at(event.key === "Home" ? 0 : -1)?.cell.id);
  };
  const describe = ({ cell }: Placed) =>
    t("monitor.fill.cell", { cell: describeCell(cell, axes), status: t(`common.status.${cell.status}`) });
  return (
    <Box ref={box} minW="0">
      <Box
        role="grid"
        tabIndex={0}
        aria-labelledby={labelledBy}
        aria-describedby={`${id}-help`}
        aria-activedescendant={active ? `${id}-cell` : undefined}
        aria-rowcount={fill.rows.length * fill.down}
        aria-colcount={fill.columns.length * fill.across}
        overflow="auto"
        maxH="60vh"
        rounded="md"
        onKeyDown={onKey}
        onFocus={() => setAt((old) => old ?? fill.placed[0]?.cell.id)}
      >
        <canvas
          ref={canvas}
          aria-hidden
          style={{ width: g.width, height: g.height, display: "block", cursor: "pointer" }}
          onPointerMove={(event) => {
            const found = under(event);
            if (found && event.pointerType === "mouse") setAt(found.cell.id);
          }}
          onPointerUp={(event) => open(under(event))}
        />
        <Box role="row" aria-rowindex={(active?.y ?? 0) + 1}>
          <Box id={`${id}-cell`} role="gridcell" aria-colindex={(active?.x ?? 0) + 1} srOnly>
            {active ? describe(active) : t("monitor.fill.help")}
          </Box>
        </Box>
      </Box>
      <Text id={`${id}-help`} aria-hidden fontSize="xs" color="fg.muted" minH="9" mt="1" lineClamp="2">
        {active ? describe(active) : t("monitor.fill.help")}
      </Text>
    </Box>
  );
}
