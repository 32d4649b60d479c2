// What a run shows: curves, cost against quality, effects, importance, ranking. Every point and row opens its pictures.
import { Box, Stack, Text } from "@chakra-ui/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChartSpline } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useSearchParams } from "react-router";
import type { Generation } from "@/api/client";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { type Axis, describeSetting, hasSetting } from "@/features/experiment/coordinates";
import { type Analysis, analysisQuery } from "@/features/experiment/queries";
import { useCells, useExperiment } from "@/features/experiment/useRun";
import { t } from "@/i18n";
import { Cost, Curves } from "./Charts";
import { Chooser } from "./Chooser";
import { parseChoice, withChoice } from "./choice";
import { Effects, Importance } from "./Effects";
import type { Setting } from "./plots";
import { Ranking } from "./Ranking";
import { Strip } from "./Strip";
import { gaps } from "./words";

export function Component() {
  const { id, number, experiment, run } = useExperiment();
  const [search] = useSearchParams();
  const begun = experiment?.run != null;
  const running = run?.status === "running";
  const query = useQuery({
    ...analysisQuery(id, parseChoice(search)),
    enabled: begun,
    placeholderData: keepPreviousData,
    refetchInterval: running ? 10_000 : false,
  });
  const { cells, axes } = useCells(id, number, begun);
  if (!experiment || (begun && query.isPending)) return <Loading label={begun ? t("analysis.measuring") : undefined} />;
  const empty = !begun || query.data?.cells === 0;
  return (
    <Stack gap="5" maxW="7xl">
      {begun && <Chooser analysis={query.data} cells={cells} axes={axes} />}
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {empty && (
        <Empty icon={<ChartSpline size={40} />} title={t("analysis.empty.title")}>
          {t(begun ? "analysis.empty.soon" : "analysis.empty.draft")}
        </Empty>
      )}
      {query.data && !empty && <Figures analysis={query.data} cells={cells} axes={axes} />}
    </Stack>
  );
}

interface Chosen {
  figure: string;
  key: string;
  setting: Setting;
}

/** Replicates are no axis of a cell. */
function cellsOf(cells: Generation[], { replicate, ...setting }: Setting): Generation[] {
  return cells.filter((cell) => hasSetting(cell, setting) && (replicate === undefined || cell.replicate === replicate));
}

function Figures({ analysis, cells, axes }: { analysis: Analysis; cells: Generation[]; axes: Axis[] }) {
  const [chosen, setChosen] = useState<Chosen>();
  const [, setSearch] = useSearchParams();
  const of = (figure: string) => ({
    selected: chosen?.figure === figure ? chosen.key : undefined,
    onSelect: (key: string, setting: Setting) =>
      setChosen((old) => (old?.figure === figure && old.key === key ? undefined : { figure, key, setting })),
  });
  const withStrip = (figure: string, content: ReactNode) => (
    <Box minW="0">
      {content}
      {chosen?.figure === figure && (
        <Strip
          title={describeSetting(chosen.setting, axes)}
          cells={cellsOf(cells, chosen.setting)}
          axes={axes}
          onClose={() => setChosen(undefined)}
          onReference={
            analysis.reference
              ? (id) =>
                  setSearch((old) => withChoice(old, "reference", id), { replace: true, preventScrollReset: true })
              : undefined
          }
        />
      )}
    </Box>
  );
  const said = gaps(analysis);
  return (
    <>
      <Text color="fg.muted">
        {t("analysis.basis", { n: analysis.cells, measured: analysis.counts.measured ?? 0 })} {said.join(" ")}
      </Text>
      {analysis.curves.length > 0 && withStrip("curves", <Curves analysis={analysis} axes={axes} {...of("curves")} />)}
      {analysis.ranking.length > 0 && withStrip("cost", <Cost analysis={analysis} axes={axes} {...of("cost")} />)}
      {analysis.importance.length > 0 && <Importance analysis={analysis} />}
      {analysis.importance.length > 0 && withStrip("effects", <Effects analysis={analysis} {...of("effects")} />)}
      {analysis.ranking.length > 0 &&
        withStrip("ranking", <Ranking analysis={analysis} axes={axes} {...of("ranking")} />)}
    </>
  );
}
