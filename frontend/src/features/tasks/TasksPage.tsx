// All tasks, the newest first, with how far they are.
import { Badge, Box, Button, Code, Flex, Heading, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Database, Plus } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { useMe } from "@/api/me";
import { CopyButton } from "@/components/CopyButton";
import { MoreButton } from "@/components/MoreButton";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { Bar } from "./Bar";
import { hasEnded, isSampling, progressText, sourceText, type Task, tasksQuery, textAt } from "./tasks";
import { useTaskLive } from "./useTaskLive";

/** Events tell of those that are seen; this finds new ones of others. */
const poll = 15_000;
const command = "cauldron task run task.json";

export const palettes = {
  running: "brand",
  awaiting_approval: "orange",
  paused: "gray",
  completed: "green",
  failed: "red",
  cancelled: "gray",
} as const;

function Item({ task }: { task: Task }) {
  return (
    <Box
      as="li"
      position="relative"
      listStyleType="none"
      p="3"
      bg="bg.panel"
      borderWidth="1px"
      rounded="lg"
      _hover={{ borderColor: "border.emphasized" }}
    >
      <Flex align="center" gap="3" wrap="wrap">
        <Heading as="h2" size="sm" fontWeight="semibold" flex="1" minW="40" truncate>
          {/* The whole row is the target of the link. */}
          <Box asChild _before={{ content: '""', position: "absolute", inset: "0", rounded: "lg" }}>
            <Link to={`/tasks/${task.id}`}>{task.name}</Link>
          </Box>
        </Heading>
        <Badge variant="outline" colorPalette={palettes[task.status]}>
          {t(`tasks.status.${task.status}`)}
        </Badge>
      </Flex>
      {!hasEnded(task) && !isSampling(task) && <Bar task={task} />}
      <Text fontSize="xs" color="fg.muted">
        {progressText(task)} · {formatAgo(task.started_at ?? task.created_at)}
      </Text>
      <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
        {sourceText(task.document)} → {textAt(task.document, "destination", "url")}
      </Text>
      {task.error && (
        <Text fontSize="sm" color="fg.error" overflowWrap="anywhere">
          {task.error.message}
        </Text>
      )}
    </Box>
  );
}

function NoTasks() {
  return (
    <Empty
      icon={<Database size={36} />}
      title={t("tasks.emptyTitle")}
      action={
        <Flex direction="column" gap="2" align="center">
          <Text fontSize="xs" color="fg.muted">
            {t("tasks.emptyCommand")}
          </Text>
          <Flex gap="2" align="center">
            <Code px="3" py="2">
              {command}
            </Code>
            <CopyButton text={command} />
          </Flex>
        </Flex>
      }
    >
      {t("tasks.emptyText")}
    </Empty>
  );
}

export function Component() {
  const query = useInfiniteQuery({ ...tasksQuery, refetchInterval: poll });
  const { mayWrite } = useMe();
  const navigate = useNavigate();
  const tasks = query.data?.pages.flatMap((page) => page.items) ?? [];
  useTaskLive(tasks.filter((task) => !hasEnded(task)).map(({ id }) => id));
  useHotkeys(mayWrite ? [{ keys: "n", label: t("tasks.new"), run: () => void navigate("/tasks/new") }] : []);
  return (
    <Page
      title={t("tasks.title")}
      actions={
        mayWrite && (
          <Button asChild size="sm" h={{ base: "11", md: "9" }}>
            <Link to="/tasks/new">
              <Plus size={16} aria-hidden />
              {t("tasks.new")}
            </Link>
          </Button>
        )
      }
    >
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.data && !tasks.length && <NoTasks />}
      <Flex as="ul" direction="column" gap="2" aria-label={t("tasks.list")}>
        {tasks.map((task) => (
          <Item key={task.id} task={task} />
        ))}
      </Flex>
      <MoreButton query={query} />
    </Page>
  );
}
