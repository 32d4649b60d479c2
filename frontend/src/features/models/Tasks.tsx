// Downloads and checks: how far they are, stopping them, going on with what was cut off.
import { Badge, Box, Button, Code, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "@/api/client";
import { useMe } from "@/api/me";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { Bar } from "./Bar";
import {
  isRunning,
  type ModelTask,
  progressText,
  pull,
  showTask,
  stopTask,
  taskName,
  tasksQuery,
  verify,
} from "./models";

const palettes = { running: "brand", succeeded: "green", failed: "red", cancelled: "gray" } as const;
const shownAtFirst = 4;

function TaskActions({ task }: { task: ModelTask }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => {
      if (isRunning(task)) return stopTask(task.id);
      return task.kind === "pull" ? pull({ model: task.model }) : verify(task.model);
    },
    onSuccess: (now) => showTask(client, now),
    onError: (error) => notify.error(error, taskName(task)),
  });
  if (task.status === "succeeded") return null;
  const name = taskName(task);
  const [label, said] = isRunning(task)
    ? [t("models.stop"), t("models.stopOf", { task: name })]
    : task.kind === "pull"
      ? [t("models.resume"), t("models.resumeOf", { task: name })]
      : [t("models.again"), `${t("models.again")}: ${name}`];
  return (
    <Button
      size="xs"
      variant="outline"
      h={{ base: "9", md: "7" }}
      aria-label={said}
      loading={change.isPending}
      onClick={() => change.mutate()}
    >
      {label}
    </Button>
  );
}

function Task({ task, isAdmin }: { task: ModelTask; isAdmin: boolean }) {
  const running = isRunning(task);
  return (
    <Box as="li" py="3" borderTopWidth="1px" _first={{ borderTopWidth: 0, pt: 0 }}>
      <Flex align="center" gap="3" wrap="wrap">
        <Text fontWeight="medium" flex="1" minW="40" overflowWrap="anywhere">
          {taskName(task)}
        </Text>
        <Badge variant="outline" colorPalette={palettes[task.status]}>
          {t(`models.status.${task.status}`)}
        </Badge>
        {isAdmin && <TaskActions task={task} />}
      </Flex>
      {running && <Bar task={task} />}
      <Text fontSize="xs" color="fg.muted">
        {progressText(task)}
        {!running && task.finished_at && ` · ${formatAgo(task.finished_at)}`}
      </Text>
      {running && task.file && (
        <Text fontSize="xs" color="fg.muted" truncate title={task.file}>
          {task.file}
        </Text>
      )}
      {task.error && (
        <Text color="fg.error" overflowWrap="anywhere">
          {task.error.message}
        </Text>
      )}
      {!running && task.detail && <Text color="fg.muted">{task.detail}</Text>}
    </Box>
  );
}

export function Tasks() {
  const { data, error, refetch } = useQuery(tasksQuery);
  const { isAdmin } = useMe();
  const [all, setAll] = useState(false);
  const tasks = data?.items ?? [];
  const shown = all ? tasks : tasks.filter((task, i) => isRunning(task) || i < shownAtFirst);
  if (error && asProblem(error).status === 503)
    return (
      <Panel title={t("models.tasks")} hint={t("models.tasksUnavailable")}>
        <Code>cauldron models pull</Code>, <Code>cauldron models verify</Code>
      </Panel>
    );
  if (error) return <ProblemNotice error={error} title={t("models.tasks")} retry={() => void refetch()} />;
  if (!tasks.length) return null;
  return (
    <Panel title={t("models.tasks")}>
      <Box as="ul" listStyleType="none">
        {shown.map((task) => (
          <Task key={task.id} task={task} isAdmin={isAdmin} />
        ))}
      </Box>
      {shown.length < tasks.length && (
        <Button size="xs" variant="ghost" onClick={() => setAll(true)}>
          {t("models.allTasks", { n: tasks.length - shown.length })}
        </Button>
      )}
    </Panel>
  );
}
