// The grid on the screen: tools above, the table, the line at its foot.
import { Box, Button, Flex } from "@chakra-ui/react";
import { Grid3x3 } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef } from "react";
import { Empty } from "@/components/states";
import { useDetail } from "@/features/detail/useDetail";
import { t } from "@/i18n";
import { useSettings } from "@/store/settings";
import { axisIndex, type Cube } from "./cube";
import { type ExportProps, saveZip } from "./ExportMenu";
import { Foot } from "./Foot";
import { GridTable } from "./GridTable";
import { HoverCard } from "./HoverCard";
import { Legend } from "./Legend";
import type { Measured } from "./measures";
import { makePainting } from "./paint";
import { pivot, type Sheet } from "./pivot";
import { grid, useGrid } from "./store";
import { COLUMN_HEAD, GAP, ROW_HEAD, ROW_HEAD_NARROW } from "./style";
import { TabStrip } from "./TabStrip";
import { Toolbar } from "./Toolbar";
import { useGridKeys } from "./useGridKeys";
import { useList } from "./useList";
import { useMarks } from "./useMarks";
import { useDetailWanted, useMedia, useTop } from "./useScreen";
import { useArea } from "./useWindow";
import { isFiltered, type Patch, type View } from "./view";

const CompareView = lazy(() => import("@/features/compare/CompareView"));

/** Cells have the shape of the pictures when all have the same. */
export function shapeOf(cube: Cube): number {
  const first = cube.cells[0]?.generation;
  if (!first) return 1;
  const ratio = first.height / first.width;
  const same = cube.cells.every(({ generation: one }) => Math.abs(one.height / one.width - ratio) < 0.01);
  return same && ratio ? Math.min(2, Math.max(0.5, ratio)) : 1;
}

export interface ScreenProps {
  id: string;
  run: number | undefined;
  name: string;
  cube: Cube;
  view: View;
  change: (patch: Patch) => void;
  measured: Measured;
  measuring: boolean;
}

export function GridScreen({ id, run, name, cube, view, change, measured, measuring }: ScreenProps) {
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const top = useTop(place);
  useEffect(() => grid.reset, []);
  const area = useArea(box);
  const narrow = useMedia("(max-width: 47.99rem)");
  const touch = useMedia("(pointer: coarse)");
  const size = useSettings((settings) => settings.cellSize);
  const shape = useMemo(() => shapeOf(cube), [cube]);
  const listed = view.sort !== undefined;
  const columns = Math.max(1, Math.floor(area.width / (size + GAP)));
  const table = useMemo(() => (listed ? undefined : pivot(cube, view)), [listed, cube, view]);
  const list = useList(cube, view, measured, columns);
  const sheet: Sheet = table ?? list.sheet;
  const painting = useMemo(
    () => view.colour && makePainting(sheet.cells, view.colour, measured, view.paint),
    [sheet, view.colour, view.paint, measured],
  );
  const viewer = useDetail();
  const sharpness = useDetailWanted();
  const open = useCallback(
    (one: string) =>
      viewer.open(
        one,
        sheet.cells.map((cell) => cell.id),
      ),
    [viewer, sheet],
  );
  const mark = useMarks(id);
  const compare = useCallback((ids: string[]) => change({ compare: ids.join(",") }), [change]);
  const cellHeight = Math.round(size * shape);
  useGridKeys({
    cube,
    sheet,
    table: box,
    search,
    page: () => Math.max(1, Math.floor((area.height - COLUMN_HEAD) / (cellHeight + GAP))),
    open,
    compare,
    mark,
    clearSearch: () => view.q && change({ q: undefined }),
  });
  const titleOf = (role: string | undefined) => cube.axes[axisIndex(cube, role)]?.title ?? "";
  const tabs = listed ? undefined : cube.axes[axisIndex(cube, view.tabs)];
  const exports: ExportProps = {
    experiment: id,
    run,
    name,
    cube,
    cells: sheet.cells,
    measured,
    table: () => box.current,
  };
  const rowHead = listed || !view.rows ? 0 : narrow ? ROW_HEAD_NARROW : ROW_HEAD;
  return (
    <Flex
      ref={place}
      direction="column"
      gap="2"
      minH="80"
      style={{ height: `calc(100dvh - ${top}px - ${narrow ? "4.25rem - env(safe-area-inset-bottom)" : "1.25rem"})` }}
    >
      <Toolbar
        axes={cube.axes}
        view={view}
        change={change}
        search={search}
        narrow={narrow}
        exports={exports}
        tabs={tabs && tabs.values.length > 1 && <TabStrip axis={tabs} view={view} change={change} />}
        legend={painting && <Legend cube={cube} painting={painting} busy={measuring} />}
      />
      {list.stale && (
        <Button size="xs" variant="subtle" alignSelf="start" onClick={list.again}>
          {t("grid.resort")}
        </Button>
      )}
      {sheet.cells.length === 0 && isFiltered(view) ? (
        <Box flex="1">
          <Empty icon={<Grid3x3 size={40} />} title={t("grid.nothingTitle")}>
            {t("grid.nothing")}
          </Empty>
        </Box>
      ) : (
        <GridTable
          box={box}
          area={area}
          cube={cube}
          sheet={sheet}
          listed={listed}
          rowTitle={titleOf(view.rows)}
          columnTitle={titleOf(view.cols)}
          cellWidth={size}
          cellHeight={cellHeight}
          rowHead={rowHead}
          painting={painting}
          detail={sharpness}
          open={open}
        />
      )}
      <Foot
        cube={cube}
        touch={touch}
        mark={mark}
        compare={compare}
        zip={() => void saveZip(cube, useGrid.getState().selected, name)}
      />
      <HoverCard cube={cube} measured={measured} />
      {view.compare.length >= 2 && (
        <Suspense fallback={null}>
          <CompareView ids={view.compare} onClose={() => change({ compare: undefined })} />
        </Suspense>
      )}
    </Flex>
  );
}
