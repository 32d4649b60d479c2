// Two to four pictures against each other, over the whole screen; the grid and the gallery open it.
import { Box, Button, CloseButton, Dialog, Flex, IconButton, Portal, Text } from "@chakra-ui/react";
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { ArrowLeftRight, Blend, Columns2, Contrast, SplitSquareHorizontal } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { Generation } from "@/api/client";
import { generationQuery } from "@/api/queries";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { whole, type Zoom, zoomedAt } from "@/features/grid/zoom";
import { t } from "@/i18n";
import { type Hotkey, useHotkeys } from "@/lib/hotkeys";
import { DifferenceView } from "./DifferenceView";
import { Flicker } from "./Flicker";
import { Pane, type Shown } from "./Pane";
import { ParameterTable } from "./ParameterTable";
import { differentSizes, rotated } from "./parameters";
import { usePanZoom } from "./usePanZoom";
import { Wipe } from "./Wipe";

export interface CompareProps {
  /** Two to four generations. */
  ids: string[];
  onClose: () => void;
}

const modes = [
  { name: "side", icon: Columns2, keys: ["1", "s"] },
  { name: "wipe", icon: SplitSquareHorizontal, keys: ["2", "w"] },
  { name: "flicker", icon: Blend, keys: ["3", "b"] },
  { name: "difference", icon: Contrast, keys: ["4", "d"] },
] as const;
type Mode = (typeof modes)[number]["name"];

function Modes({ mode, choose }: { mode: Mode; choose: (mode: Mode) => void }) {
  return (
    <Flex gap="1" role="group" aria-label={t("compare.modes")} wrap="wrap">
      {modes.map(({ name, icon: Icon, keys: [digit] }) => (
        <Button
          key={name}
          size="sm"
          h={{ base: "11", md: "8" }}
          px={{ base: "3", md: "3" }}
          variant={mode === name ? "subtle" : "ghost"}
          aria-pressed={mode === name}
          aria-label={t(`compare.${name}`)}
          title={`${t(`compare.${name}`)} (${digit})`}
          onClick={() => choose(name)}
        >
          <Icon size={16} />
          <Box as="span" hideBelow="lg">
            {t(`compare.${name}`)}
          </Box>
        </Button>
      ))}
    </Flex>
  );
}

function Pictures({ mode, all, zoom }: { mode: Mode; all: readonly Shown[]; zoom: Zoom }) {
  const [one, other] = all;
  if (!one || !other) return null;
  if (mode === "wipe") return <Wipe pair={[one, other]} zoom={zoom} />;
  if (mode === "flicker") return <Flicker all={all} zoom={zoom} />;
  if (mode === "difference") return <DifferenceView pair={[one, other]} zoom={zoom} />;
  return (
    <Box
      display="grid"
      gap="2"
      h="full"
      gridAutoRows="1fr"
      gridTemplateColumns={{
        base: all.length > 2 ? "1fr 1fr" : "1fr",
        md: all.length === 4 ? "1fr 1fr" : `repeat(${all.length}, 1fr)`,
      }}
    >
      {all.map((shown) => (
        <Pane key={shown.generation.id} shown={shown} zoom={zoom} />
      ))}
    </Box>
  );
}

interface State {
  setMode: (mode: Mode) => void;
  turn: (step: 1 | -1) => void;
  setZoom: (change: (zoom: Zoom) => Zoom) => void;
}

function useKeys({ setMode, turn, setZoom }: State): void {
  const free = () => !document.activeElement?.matches("input, select, [role=slider]");
  const zoomBy = (factor: number) => () => setZoom((zoom) => zoomedAt(zoom, factor, 0.5, 0.5));
  const keys: Hotkey[] = modes.flatMap(({ name, keys: both }) =>
    both.map((key) => ({ keys: key, label: t(`compare.${name}`), run: () => setMode(name) })),
  );
  useHotkeys([
    ...keys,
    { keys: "ArrowRight", label: t("compare.next"), when: free, run: () => turn(1) },
    { keys: "ArrowLeft", label: t("compare.previous"), when: free, run: () => turn(-1) },
    { keys: "+", label: t("compare.zoomIn"), run: zoomBy(Math.SQRT2) },
    { keys: "-", label: t("compare.zoomOut"), run: zoomBy(Math.SQRT1_2) },
    { keys: "0", label: t("compare.zoomReset"), run: () => setZoom(() => whole) },
  ]);
}

function Body({ all, mode, zoom, setZoom }: { all: Shown[]; mode: Mode; zoom: Zoom; setZoom: State["setZoom"] }) {
  const area = useRef<HTMLDivElement>(null);
  usePanZoom(area, setZoom);
  const sizes = differentSizes(all.map((one) => one.generation));
  return (
    <Flex direction={{ base: "column", md: "row" }} gap="3" flex="1" minH="0">
      <Flex direction="column" gap="2" flex="1" minW="0" minH="0">
        {sizes && (
          <Text fontSize="xs" color="fg.muted" role="note">
            {t("compare.sizes", { sizes })}
          </Text>
        )}
        <Box ref={area} flex="1" minH={{ base: "56dvh", md: "0" }} touchAction="none" data-compare-area>
          <Pictures mode={mode} all={all} zoom={zoom} />
        </Box>
      </Flex>
      <Box
        w={{ base: "full", md: "80" }}
        flexShrink="0"
        overflowY={{ md: "auto" }}
        tabIndex={0}
        role="region"
        aria-label={t("compare.parameters")}
      >
        <ParameterTable all={all} />
      </Box>
    </Flex>
  );
}

function combine(queries: UseQueryResult<Generation, Error>[]) {
  return {
    found: queries.map((query) => query.data),
    error: queries.find((query) => query.error && !query.data)?.error,
    again: () => {
      for (const query of queries) void query.refetch();
    },
  };
}

function Content({ ids, onClose }: CompareProps) {
  const [order, setOrder] = useState(ids);
  const [mode, setMode] = useState<Mode>("side");
  const [zoom, setZoom] = useState(whole);
  const { found, error, again } = useQueries({ queries: ids.map((id) => generationQuery(id)), combine });
  const turn = (step: 1 | -1) => setOrder((old) => rotated(old, step));
  useKeys({ setMode, turn, setZoom });
  const all = useMemo(
    () =>
      order.flatMap((id) => {
        const place = ids.indexOf(id);
        const generation = found[place];
        return generation ? [{ generation, place }] : [];
      }),
    [order, ids, found],
  );
  return (
    <>
      <Dialog.Header py="2" px="3" gap="3" display="flex" alignItems="center" flexWrap="wrap">
        <Dialog.Title fontSize="md" hideBelow="sm">
          {t("compare.title")}
        </Dialog.Title>
        <Modes mode={mode} choose={setMode} />
        <IconButton
          size="sm"
          variant="ghost"
          aria-label={t("compare.swap")}
          title={t("compare.swap")}
          onClick={() => turn(1)}
        >
          <ArrowLeftRight size={16} />
        </IconButton>
        {zoom.scale > 1 && (
          <Button size="sm" variant="ghost" title={t("compare.zoomReset")} onClick={() => setZoom(whole)}>
            {t("compare.zoomed", { n: zoom.scale })}
          </Button>
        )}
        <CloseButton ms="auto" size="sm" aria-label={t("common.close")} onClick={onClose} />
      </Dialog.Header>
      <Dialog.Body
        display="flex"
        flexDirection="column"
        p="3"
        pt="0"
        minH="0"
        overflowY={{ base: "auto", md: "hidden" }}
      >
        {error && <ProblemNotice error={error} retry={again} />}
        {!error && all.length < ids.length && <Loading />}
        {ids.length < 2 && <Empty title={t("compare.few")} />}
        {!error && ids.length >= 2 && all.length === ids.length && (
          <Body all={all} mode={mode} zoom={zoom} setZoom={setZoom} />
        )}
      </Dialog.Body>
    </>
  );
}

export function CompareView({ ids, onClose }: CompareProps) {
  return (
    <Dialog.Root open onOpenChange={({ open }) => !open && onClose()} size="full" scrollBehavior="inside">
      <Portal>
        <Dialog.Positioner>
          <Dialog.Content maxH="100dvh" h="100dvh" rounded="none" aria-label={t("compare.title")}>
            <Content key={ids.join()} ids={ids} onClose={onClose} />
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}

export default CompareView;
