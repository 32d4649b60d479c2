// Above the table: on a desk everything at hand, on a phone a sheet for axes and filters.
import { Badge, Box, Button, Flex, IconButton, Text } from "@chakra-ui/react";
import { SlidersHorizontal, ZoomIn } from "lucide-react";
import { type ReactNode, type RefObject, useState } from "react";
import Sheet from "@/components/Sheet";
import { t } from "@/i18n";
import { useSettings } from "@/store/settings";
import { Choosers, LooseChoosers } from "./Choosers";
import type { Axis } from "./cube";
import { ExportMenu, type ExportProps } from "./ExportMenu";
import { Filters } from "./Filters";
import { grid, useGrid } from "./store";
import { isFiltered, type Patch, type View } from "./view";
import { whole } from "./zoom";

export interface ToolbarProps {
  axes: readonly Axis[];
  view: View;
  change: (patch: Patch) => void;
  search: RefObject<HTMLInputElement | null>;
  narrow: boolean;
  exports: ExportProps;
  tabs: ReactNode;
  legend: ReactNode;
}

function SizeSlider({ tall = false }: { tall?: boolean }) {
  const size = useSettings((settings) => settings.cellSize);
  const set = useSettings((settings) => settings.set);
  return (
    <Flex align="center" gap="2" minH={tall ? "11" : undefined}>
      <label htmlFor="grid-size" style={{ fontSize: "0.75rem", flex: tall ? "0 0 6rem" : undefined }}>
        {t("grid.size")}
      </label>
      <input
        id="grid-size"
        type="range"
        min={32}
        max={512}
        step={8}
        value={size}
        onChange={({ target }) => set({ cellSize: Number(target.value) })}
        style={{ width: tall ? "100%" : "7rem", height: "1.5rem", accentColor: "var(--chakra-colors-brand-solid)" }}
      />
    </Flex>
  );
}

function ZoomButtons({ large = false }: { large?: boolean }) {
  const zoomMode = useGrid((state) => state.zoomMode);
  const scale = useGrid((state) => state.zoom.scale);
  const size = large ? "sm" : "xs";
  return (
    <Flex gap="1" align="center">
      <IconButton
        size={size}
        variant={zoomMode ? "solid" : "outline"}
        aria-pressed={zoomMode}
        aria-label={t("grid.zoomMode")}
        title={t("grid.zoomHint")}
        onClick={() => grid.zoomMode(!zoomMode)}
      >
        <ZoomIn size={14} />
      </IconButton>
      {scale > 1 && (
        <Button size={size} variant="ghost" title={t("grid.zoomReset")} onClick={() => grid.zoom(() => whole)}>
          {t("grid.zoomed", { n: scale })}
          <Box as="span" srOnly>
            {t("grid.zoomReset")}
          </Box>
        </Button>
      )}
    </Flex>
  );
}

function SheetOf({ axes, view, change, search }: ToolbarProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" variant="outline" flex="1" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <SlidersHorizontal size={16} />
        {t("grid.arrange")}
        {isFiltered(view) && <Badge colorPalette="brand">{t("grid.filtered")}</Badge>}
      </Button>
      <Sheet title={t("grid.axes")} open={open} onClose={() => setOpen(false)}>
        <Flex direction="column" gap="2">
          <Choosers axes={axes} view={view} change={change} tall />
          <LooseChoosers axes={axes} view={view} change={change} tall />
          <SizeSlider tall />
          <Filters view={view} change={change} search={search} tall />
        </Flex>
      </Sheet>
    </>
  );
}

export function Toolbar(props: ToolbarProps) {
  const { axes, view, change, search, narrow, exports, tabs, legend } = props;
  if (narrow)
    return (
      <>
        <Flex gap="2" align="center">
          <SheetOf {...props} />
          <ZoomButtons large />
          <ExportMenu {...exports} brief />
        </Flex>
        {legend}
        {tabs}
      </>
    );
  return (
    <Flex direction="column" gap="1.5" flexShrink="0">
      <Flex wrap="wrap" gap="3" rowGap="1.5" align="center">
        <Choosers axes={axes} view={view} change={change} />
      </Flex>
      <Flex wrap="wrap" gap="3" rowGap="1.5" align="center">
        <Filters view={view} change={change} search={search} />
        <Flex gap="3" align="center" ms="auto">
          <Text fontSize="xs" color="fg.muted" aria-live="polite" hideBelow="xl">
            {exports.cells.length === exports.cube.total
              ? t("grid.cells", { n: exports.cells.length })
              : t("grid.cellsOf", { n: exports.cells.length, total: exports.cube.total })}
          </Text>
          <SizeSlider />
          <ZoomButtons />
          <ExportMenu {...exports} />
        </Flex>
      </Flex>
      <Flex wrap="wrap" gap="3" rowGap="1.5" align="center">
        {tabs}
        <LooseChoosers axes={axes} view={view} change={change} />
        {legend && <Box ms="auto">{legend}</Box>}
      </Flex>
    </Flex>
  );
}
