// The comparison grid of an experiment (/experiments/:id/grid): its cells, and the address that says how they are seen.
import { Flex, Spinner } from "@chakra-ui/react";
import { Grid3x3 } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { useSearchParams } from "react-router";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { useExperiment } from "@/features/experiment/useRun";
import { t } from "@/i18n";
import type { Axis } from "./cube";
import { GridScreen } from "./GridScreen";
import { isCompared } from "./measures";
import { useGridData, useMeasured } from "./useGridData";
import { type Patch, parseView, patched } from "./view";

function useView(axes: readonly Axis[]) {
  const [search, setSearch] = useSearchParams();
  const view = useMemo(() => parseView(search, axes), [search, axes]);
  // Two changes may come before the address is drawn again: the second builds on the first.
  const latest = useRef(search);
  useEffect(() => {
    latest.current = search;
  }, [search]);
  const change = useCallback(
    (patch: Patch) => {
      latest.current = patched(latest.current, patch);
      setSearch(latest.current, { replace: true, preventScrollReset: true });
    },
    [setSearch],
  );
  return { view, change };
}

export function Component() {
  const { id, number, experiment } = useExperiment();
  const data = useGridData(id, number);
  const { cube, run } = data;
  const { view, change } = useView(cube.axes);
  const compared = isCompared(view.colour) || isCompared(view.sort);
  const { measured, error, busy, refetch } = useMeasured(id, number, run, compared);
  if (data.error && !cube.cells.length) return <ProblemNotice error={data.error} retry={() => void data.refetch()} />;
  if (data.isPending) return <Loading />;
  if (!cube.cells.length)
    return (
      <Empty icon={<Grid3x3 size={40} />} title={t("grid.emptyTitle")}>
        {t("grid.empty")}
      </Empty>
    );
  return (
    <>
      {data.error && <ProblemNotice error={data.error} retry={() => void data.refetch()} />}
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {!data.complete && !data.error && (
        <Flex role="status" align="center" gap="2" fontSize="xs" color="fg.muted" position="absolute" insetEnd="5">
          <Spinner size="xs" aria-hidden />
          {t("grid.loading", { have: cube.cells.length, total: cube.total })}
        </Flex>
      )}
      <GridScreen
        key={`${id} ${number ?? ""}`}
        id={id}
        run={number}
        name={experiment?.name ?? t("grid.title")}
        cube={cube}
        view={view}
        change={change}
        measured={measured}
        measuring={busy}
      />
    </>
  );
}
