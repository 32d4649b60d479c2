// How busy the queue is; each number leads to its jobs.
import { Box, Button, Flex, SimpleGrid, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useMe } from "@/api/me";
import { notify } from "@/components/notify";
import { formatNumber, formatSeconds, t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { type JobFilter, queueQuery, withFilter } from "./jobs";

type Queue = Schemas["Queue"];

interface TileProps {
  label: string;
  value: ReactNode;
  filter?: JobFilter;
  warn?: boolean;
}

function Tile({ label, value, filter, warn }: TileProps) {
  const [search] = useSearchParams();
  const content = (
    <Box
      px="3"
      py={{ base: "2", md: "3" }}
      borderWidth="1px"
      rounded="lg"
      bg="bg.panel"
      h="full"
      _hover={filter && { bg: "bg.subtle" }}
    >
      <Text fontSize="xl" fontWeight="semibold" color={warn ? "fg.error" : undefined} lineHeight="short">
        {value}
      </Text>
      <Text color="fg.muted" fontSize="xs">
        {label}
      </Text>
    </Box>
  );
  if (!filter) return content;
  const to = withFilter(search, { status: undefined, priority: undefined, ...filter });
  return <Link to={`?${to}`}>{content}</Link>;
}

/** Before the first answer it stands there empty: what is below does not jump. */
export function Summary({ queue }: { queue: Queue | undefined }) {
  const waiting = queue?.by_priority;
  const oldest = queue?.oldest_seconds;
  const number = (value: number | undefined) => (queue ? formatNumber(value ?? 0) : "–");
  return (
    <SimpleGrid as="section" aria-label={t("queue.summary")} columns={{ base: 3, lg: 7 }} gap="2">
      <Tile
        label={t("queue.interactive")}
        value={number(waiting?.interactive)}
        filter={{ status: "queued", priority: "interactive" }}
      />
      <Tile label={t("queue.batch")} value={number(waiting?.batch)} filter={{ status: "queued", priority: "batch" }} />
      <Tile label={t("queue.running")} value={number(queue?.running)} filter={{ status: "running" }} />
      <Tile label={t("queue.delayed")} value={number(queue?.delayed)} filter={{ status: "queued" }} />
      <Tile label={t("queue.dead")} value={number(queue?.dead)} filter={{ status: "dead" }} warn={!!queue?.dead} />
      <Tile label={t("queue.workers")} value={number(queue?.workers)} warn={queue?.workers === 0} />
      <Box gridColumn={{ base: "span 3", lg: "auto" }}>
        <Tile label={t("queue.oldest")} value={oldest == null ? "–" : formatSeconds(oldest)} />
      </Box>
    </SimpleGrid>
  );
}

function usePause(queue: Queue | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(queue?.paused ? api.POST("/api/v1/queue/resume") : api.POST("/api/v1/queue/pause")),
    onSuccess: (now) => client.setQueryData(queueQuery.queryKey, now),
    onError: (error) => notify.error(error),
  });
}

/** Admins only: the others see that it is paused, and who can resume it. */
export function PauseButton({ queue }: { queue: Queue | undefined }) {
  const { isAdmin } = useMe();
  const { mutate, isPending } = usePause(queue);
  const label = t(queue?.paused ? "queue.resume" : "queue.pause");
  useHotkeys([{ keys: "p", label: t("queue.pause"), run: () => mutate() }], isAdmin && queue !== undefined);
  if (!isAdmin) return null;
  return (
    <Button size="sm" variant="outline" loading={isPending} disabled={!queue} onClick={() => mutate()}>
      {queue?.paused ? <Play size={16} aria-hidden /> : <Pause size={16} aria-hidden />}
      {label}
    </Button>
  );
}

export function Notices({ queue }: { queue: Queue }) {
  const { isAdmin } = useMe();
  const texts = [
    ...(queue.paused ? [isAdmin ? t("queue.paused") : `${t("queue.paused")} ${t("queue.pausedBy")}`] : []),
    ...(queue.workers === 0 ? [t("queue.noWorkers")] : []),
  ];
  return (
    <Flex direction="column" gap="2" role="status">
      {texts.map((text) => (
        <Text key={text} p="3" borderWidth="1px" borderColor="border.emphasized" rounded="md" color="fg.warning">
          {text}
        </Text>
      ))}
    </Flex>
  );
}
