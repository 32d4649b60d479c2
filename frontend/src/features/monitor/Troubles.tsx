// What was not drawn and why, reason by reason, with a way to try again: one cell or all.

import { Badge, Box, Button, Collapsible, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { api, call, type Generation } from "@/api/client";
import { useMe } from "@/api/me";
import { experimentQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { useDetail } from "@/features/detail/useDetail";
import { type Axis, describeCell } from "@/features/experiment/coordinates";
import { type GridPages, replaceCell } from "@/features/experiment/merge";
import { useAct } from "@/features/experiment/useActions";
import { t } from "@/i18n";
import type { Trouble } from "./trouble";

const FIRST = 20;

function useRetry(experimentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call(api.POST("/api/v1/generations/{id}/retry", { params: { path: { id } } })),
    onSuccess: (cell) => {
      client.setQueriesData<GridPages>({ queryKey: ["grid", experimentId] }, (old) => old && replaceCell(old, cell));
      void client.invalidateQueries({ queryKey: experimentQuery(experimentId).queryKey });
    },
    onError: (error) => notify.error(error),
  });
}

interface Props {
  id: string;
  troubles: Trouble[];
  axes: Axis[];
  /** Whether the server would take a retry now. */
  retryAll: boolean;
}

export function Troubles({ id, troubles, axes, retryAll }: Props) {
  const act = useAct(id);
  const { mayWrite: write } = useMe();
  if (!troubles.length) return null;
  return (
    <Box as="section" aria-label={t("monitor.troubles.title")}>
      <Flex align="center" gap="3" mb="2">
        <Text as="h2" fontWeight="semibold" flex="1">
          {t("monitor.troubles.title")}
        </Text>
        {retryAll && write && (
          <Button
            size="sm"
            variant="outline"
            minH={{ base: "11", md: "8" }}
            loading={act.isPending}
            onClick={() => act.mutate("retry")}
          >
            <RotateCcw size={14} />
            {t("monitor.troubles.retryAll")}
          </Button>
        )}
      </Flex>
      {troubles.map((trouble) => (
        <Group key={`${trouble.status} ${trouble.reason}`} id={id} trouble={trouble} axes={axes} write={write} />
      ))}
    </Box>
  );
}

function Group({ id, trouble, axes, write }: { id: string; trouble: Trouble; axes: Axis[]; write: boolean }) {
  const [most, setMost] = useState(FIRST);
  const { status, reason, cells } = trouble;
  return (
    <Collapsible.Root borderWidth="1px" rounded="md" mb="2" bg="bg.panel" lazyMount defaultOpen={status === "failed"}>
      <Collapsible.Trigger asChild>
        <Flex as="button" w="full" gap="3" p="3" minH="11" align="center" textAlign="start">
          <Badge colorPalette={status === "failed" ? "red" : "gray"} variant="outline" flexShrink="0">
            {t(`common.status.${status}`)}
          </Badge>
          <Text flex="1" minW="0" overflowWrap="anywhere">
            {reason || t(`monitor.troubles.${status}`)}
          </Text>
          <Text color="fg.muted" fontSize="xs" flexShrink="0">
            {t("monitor.troubles.cells", { n: cells.length })}
          </Text>
        </Flex>
      </Collapsible.Trigger>
      <Collapsible.Content>
        <Box as="ul" borderTopWidth="1px">
          {cells.slice(0, most).map((cell) => (
            <Row key={cell.id} id={id} cell={cell} axes={axes} retry={write && status !== "impossible"} />
          ))}
        </Box>
        {cells.length > most && (
          <Button size="sm" variant="ghost" m="1" onClick={() => setMost(most + 100)}>
            {t("monitor.troubles.more", { n: cells.length - most })}
          </Button>
        )}
      </Collapsible.Content>
    </Collapsible.Root>
  );
}

function Row({ id, cell, axes, retry }: { id: string; cell: Generation; axes: Axis[]; retry: boolean }) {
  const again = useRetry(id);
  const detail = useDetail();
  const name = describeCell(cell, axes);
  return (
    <Flex as="li" align="center" gap="2" px="3" py="1" fontSize="xs">
      <Button
        variant="plain"
        size="xs"
        flex="1"
        minW="0"
        px="0"
        minH="8"
        justifyContent="flex-start"
        onClick={() => detail.open(cell.id)}
      >
        <Text truncate>{name}</Text>
      </Button>
      {retry && (
        <Button
          size="xs"
          variant="ghost"
          minH={{ base: "11", md: "6" }}
          loading={again.isPending}
          aria-label={t("monitor.troubles.retryOne", { cell: name })}
          onClick={() => again.mutate(cell.id)}
        >
          {t("common.retry")}
        </Button>
      )}
    </Flex>
  );
}
