// One task: how far it is, its sample, records, report and callbacks.
import { Badge, Box, Flex, SimpleGrid, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { asProblem } from "@/api/client";
import { NotFound } from "@/app/Failures";
import { Facts } from "@/components/Facts";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Loading, ProblemNotice } from "@/components/states";
import { formatAgo, formatBytes, formatNumber, t } from "@/i18n";
import { Actions } from "./Actions";
import { Bar } from "./Bar";
import { Callbacks } from "./Callbacks";
import { Records } from "./Records";
import { Report } from "./Report";
import { Sample } from "./Sample";
import { palettes } from "./TasksPage";
import { isSampling, progressText, sourceText, type Task, taskQuery, textAt } from "./tasks";
import { useTaskLive } from "./useTaskLive";

const shown = ["waiting", "ready", "stored", "failing", "succeeded", "failed", "cancelled"] as const;

function Counts({ counts }: Pick<Task, "counts">) {
  return (
    <SimpleGrid columns={{ base: 2, sm: 4, lg: 7 }} gap="2" mt="3">
      {shown.map((status) => (
        <Box key={status} px="3" py="2" borderWidth="1px" rounded="md">
          <Text fontSize="lg" fontWeight="semibold" fontVariantNumeric="tabular-nums">
            {formatNumber(counts[status])}
          </Text>
          <Text fontSize="xs" color="fg.muted">
            {t(`tasks.record.${status}`)}
          </Text>
        </Box>
      ))}
    </SimpleGrid>
  );
}

function Progress({ task }: { task: Task }) {
  return (
    <Panel
      title={t(`tasks.status.${task.status}`)}
      hint={task.status === "running" ? t(`tasks.phase.${task.phase}`) : undefined}
      actions={<Actions task={task} />}
    >
      {task.error && (
        <Text color="fg.error" role="alert" overflowWrap="anywhere">
          {task.error.message}
        </Text>
      )}
      {!isSampling(task) && <Bar task={task} />}
      <Text color="fg.muted">
        {!isSampling(task) && `${progressText(task)} · `}
        {t("tasks.ago", { time: formatAgo(task.started_at ?? task.created_at) })}
      </Text>
      {!isSampling(task) && <Counts counts={task.counts} />}
    </Panel>
  );
}

function About({ task }: { task: Task }) {
  const { document } = task;
  const results = textAt(document, "results", "collection") ?? textAt(document, "results", "path");
  return (
    <Panel title={t("tasks.about")}>
      <Facts
        items={[
          [t("tasks.facts.kind"), task.kind],
          [t("tasks.facts.source"), sourceText(document)],
          [t("tasks.facts.read"), task.read_all ? t("tasks.facts.readAll", { n: task.read }) : task.read],
          [t("tasks.facts.destination"), textAt(document, "destination", "url")],
          [t("tasks.facts.results"), results ?? textAt(document, "results", "type")],
          [t("tasks.facts.callbacks"), textAt(document, "callbacks", "url")],
          [t("tasks.facts.bytes"), task.bytes ? formatBytes(task.bytes) : ""],
          [t("tasks.facts.reused"), task.reused || ""],
          [t("tasks.facts.known"), task.known || ""],
          [t("tasks.facts.missing"), task.missing || ""],
          [t("tasks.facts.rounds"), task.rounds && task.rounds > 1 ? task.rounds : ""],
        ]}
      />
      <Box asChild mt="3">
        <details>
          <Box as="summary" cursor="pointer" minH="6">
            {t("tasks.document")}
          </Box>
          <Box as="pre" fontSize="xs" overflowX="auto" p="2" bg="bg.subtle" rounded="md" tabIndex={0}>
            {JSON.stringify(document, null, 2)}
          </Box>
        </details>
      </Box>
    </Panel>
  );
}

export function Component() {
  const { id = "" } = useParams();
  const { data: task, error, refetch } = useQuery(taskQuery(id));
  useTaskLive([id]);
  if (error && asProblem(error).status === 404) return <NotFound />;
  if (!task)
    return error ? (
      <Page title={t("tasks.title")}>
        <ProblemNotice error={error} retry={() => void refetch()} />
      </Page>
    ) : (
      <Loading />
    );
  return (
    <Page
      title={task.name}
      actions={
        <Badge variant="outline" colorPalette={palettes[task.status]}>
          {t(`tasks.status.${task.status}`)}
        </Badge>
      }
    >
      <Flex direction="column" gap="4">
        {error && <ProblemNotice error={error} retry={() => void refetch()} />}
        <Progress task={task} />
        <Sample task={task} />
        {!isSampling(task) && <Records id={id} />}
        {!isSampling(task) && <Report id={id} />}
        <Callbacks task={task} />
        <About task={task} />
      </Flex>
    </Page>
  );
}
