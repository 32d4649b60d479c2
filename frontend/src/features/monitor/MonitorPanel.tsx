// Progress of a run: how far, how fast, what it looks like, what went wrong. It reads the caches that features/experiment/live.ts
// keeps; where events do not arrive it says so.
import { Box, Flex, Stack, Text } from "@chakra-ui/react";
import { Unplug } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import type { Run } from "@/api/client";
import { useLink } from "@/api/socket";
import { Loading, ProblemNotice } from "@/components/states";
import { endedOf } from "@/features/experiment/merge";
import { possible } from "@/features/experiment/useActions";
import { useCells, useExperiment } from "@/features/experiment/useRun";
import { t } from "@/i18n";
import { Draft } from "./Draft";
import { FillGrid } from "./FillGrid";
import { Latest } from "./Latest";
import { Figures, ProgressBar, percentOf } from "./ProgressBar";
import { Troubles } from "./Troubles";
import { latestOf, troubles } from "./trouble";

/** A connection that is just being made is no news. */
function useAway(): boolean {
  const offline = useLink((state) => state.state === "offline");
  const [away, setAway] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAway(offline), offline ? 2000 : 0);
    return () => clearTimeout(timer);
  }, [offline]);
  return away;
}

/** For those who listen: at the start, at every tenth, at the end. */
function Spoken({ run }: { run: Run }) {
  const percent = percentOf(run);
  const tenth = run.status === "running" ? Math.floor(percent / 10) * 10 : percent;
  return (
    <Box role="status" aria-live="polite" srOnly>
      {t("monitor.spoken", {
        status: t(`common.status.${run.status}`),
        percent: tenth,
        n: run.failed,
      })}
    </Box>
  );
}

function Away() {
  return (
    <Flex role="status" gap="2" align="center" p="2" px="3" rounded="md" bg="bg.muted" fontSize="xs">
      <Unplug size={14} aria-hidden />
      {t("monitor.away")}
    </Flex>
  );
}

export function Component() {
  const { id, number, run, experiment } = useExperiment();
  const { cells, axes, error, refetch } = useCells(id, number, experiment?.run != null);
  const away = useAway();
  const latest = useMemo(() => latestOf(cells), [cells]);
  const trouble = useMemo(() => troubles(cells), [cells]);
  const ids = useMemo(() => cells.map((cell) => cell.id), [cells]);
  if (!experiment) return <Loading />;
  if (!experiment.run) return <Draft id={id} />;
  if (!run) return <Loading />;
  const newest = run.id === experiment.run.id;
  return (
    <Stack gap="5">
      <Spoken run={run} />
      {away && run.status === "running" && <Away />}
      <ProgressBar run={run} />
      <Figures run={run} />
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      <Flex direction={{ base: "column", lg: "row" }} gap="6" align="start">
        <Box w={{ base: "full", lg: "24rem", "2xl": "32rem" }} flexShrink="0">
          <Latest run={run} latest={latest} axes={axes} ids={ids} />
        </Box>
        <Box flex="1" minW="0" w="full">
          {cells.length > 0 ? (
            <FillGrid cells={cells} axes={axes} running={run.status === "running"} />
          ) : (
            !error && <Loading />
          )}
        </Box>
      </Flex>
      <Troubles id={id} troubles={trouble} axes={axes} retryAll={newest && possible(experiment).has("retry")} />
      {endedOf(run) >= run.total && !trouble.length && (
        <Text color="fg.muted">{t("monitor.allDone", { n: run.completed })}</Text>
      )}
    </Stack>
  );
}
