// One experiment: its name, where it stands, what can be done with it; the tabs are below. Live for all of them.

import { Badge, Box, Flex } from "@chakra-ui/react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Outlet } from "react-router";
import { asProblem, type Experiment } from "@/api/client";
import { useMe } from "@/api/me";
import { Page } from "@/components/Page";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { Actions } from "./Actions";
import { useExperimentLive } from "./live";
import { endedOf } from "./merge";
import { NameField } from "./NameField";
import { RunSelect, Tabs } from "./Tabs";
import { useRename } from "./useActions";
import { useExperiment } from "./useRun";

const ExtendDialog = lazy(() => import("./ExtendDialog").then((module) => ({ default: module.ExtendDialog })));
const CompareRunsDialog = lazy(() =>
  import("./CompareRunsDialog").then((module) => ({ default: module.CompareRunsDialog })),
);

const colours: Record<Experiment["status"], string> = {
  draft: "gray",
  running: "brand",
  paused: "orange",
  completed: "green",
  failed: "red",
  cancelled: "gray",
};

/** The percentage comes first: a narrow tab of the browser shows no more. */
function useTitle(experiment: Experiment | undefined): void {
  const run = experiment?.run;
  const busy = experiment?.status === "running" || experiment?.status === "paused";
  const percent = run && busy ? Math.floor((100 * endedOf(run)) / Math.max(run.total, 1)) : undefined;
  const name = experiment?.name ?? t("monitor.experiment");
  useEffect(() => {
    document.title = `${percent === undefined ? "" : `${percent} % · `}${name} · ${t("common.app")}`;
  }, [percent, name]);
}

export function Component() {
  const { id, number, experiment, error, refetch } = useExperiment();
  useExperimentLive(id);
  useTitle(experiment);
  const rename = useRename(id);
  const { mayWrite: write } = useMe();
  const [dialog, setDialog] = useState<"extend" | "compare">();
  if (!experiment) {
    const missing = error && asProblem(error).status === 404;
    return (
      <Page title={t(missing ? "monitor.missing" : "monitor.experiment")}>
        {error ? <ProblemNotice error={error} retry={() => void refetch()} /> : <Loading />}
      </Page>
    );
  }
  return (
    <Flex direction="column" gap="3" flex="1" minW="0" p={{ base: "3", md: "5" }}>
      <Flex gap="2" wrap="wrap" align="center">
        <NameField name={experiment.name} onChange={write ? rename.mutate : undefined} />
        <Badge variant="outline">{t(`monitor.type.${experiment.type}`)}</Badge>
        <Badge colorPalette={colours[experiment.status]} variant="outline">
          {t(`common.status.${experiment.status}`)}
        </Badge>
        <Actions
          experiment={experiment}
          run={number}
          onExtend={() => setDialog("extend")}
          onCompare={() => setDialog("compare")}
        />
      </Flex>
      <Flex gap="2" align="center" justify="space-between" borderBottomWidth="1px" wrap="wrap">
        <Tabs id={id} />
        <RunSelect id={id} newest={experiment.runs} />
      </Flex>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      <Box flex="1" minW="0">
        <Outlet />
      </Box>
      <Suspense fallback={null}>
        {dialog === "extend" && <ExtendDialog experiment={experiment} onClose={() => setDialog(undefined)} />}
        {dialog === "compare" && (
          <CompareRunsDialog id={id} newest={experiment.runs} onClose={() => setDialog(undefined)} />
        )}
      </Suspense>
    </Flex>
  );
}
