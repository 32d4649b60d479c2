// One picture of the stage: waiting with its place in the queue, growing step by step, done, or failed with the reason.
import { Box, Button, Flex, Progress, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { editCached } from "@/api/changes";
import { api, call, type Generation } from "@/api/client";
import { isEnded, useGeneration } from "@/api/live";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { retry } from "./draw";

/** Jobs before it. The job of a picture is the one that draws its recipe; its place is said by the job itself. */
function usePlace(generation: Generation | undefined): number | undefined {
  const waits = generation?.status === "queued";
  const recipe = JSON.stringify(generation?.parameters);
  const { data } = useQuery({
    queryKey: ["place", generation?.id],
    enabled: waits,
    refetchInterval: waits ? 3000 : false,
    queryFn: async () => {
      const { items } = await call(api.GET("/api/v1/jobs", { params: { query: { status: "queued", limit: 200 } } }));
      const job = items.find((one) => JSON.stringify(one.recipe) === recipe);
      if (!job) return null;
      return (await call(api.GET("/api/v1/jobs/{id}", { params: { path: { id: job.id } } }))).position ?? null;
    },
  });
  return waits ? (data ?? undefined) : undefined;
}

/** What stands in the lists ends with the picture. */
function useEndInLists(generation: Generation | undefined): void {
  const client = useQueryClient();
  const ended = generation && isEnded(generation) ? generation : undefined;
  useEffect(() => {
    if (ended) editCached(client, new Set([ended.id]), (one) => (isEnded(one) ? one : ended));
  }, [client, ended]);
}

function Waiting({ generation, step }: { generation: Generation; step?: { step: number; steps: number } }) {
  const place = usePlace(generation);
  const steps = step?.steps ?? generation.progress?.steps ?? generation.steps;
  const done = step?.step ?? generation.progress?.step ?? 0;
  const drawing = generation.status === "running" || step !== undefined;
  const said = drawing
    ? t("generate.step", { step: done, steps })
    : place === undefined
      ? t("generate.waiting")
      : place === 0
        ? t("generate.next")
        : t("generate.place", { n: place });
  return (
    <Box position="absolute" insetInline="0" bottom="0" p="2" bg="bg.panel/85">
      <Text fontSize="xs" mb="1" fontVariantNumeric="tabular-nums">
        {said}
      </Text>
      <Progress.Root value={drawing ? done : null} max={steps} size="xs" aria-label={said} colorPalette="brand">
        <Progress.Track>
          <Progress.Range />
        </Progress.Track>
      </Progress.Root>
    </Box>
  );
}

function Ended({ generation }: { generation: Generation }) {
  const client = useQueryClient();
  const again = generation.status === "failed" || generation.status === "cancelled";
  return (
    <Flex position="absolute" inset="0" direction="column" align="center" justify="center" gap="2" p="3">
      <Text fontWeight="medium">{t(`common.status.${generation.status}`)}</Text>
      {generation.error && (
        <Text fontSize="xs" color="fg.muted" textAlign="center" overflowWrap="anywhere">
          {generation.error.message}
        </Text>
      )}
      {again && (
        <Button size="xs" variant="outline" onClick={() => void retry(client, generation.id)}>
          {t("common.retry")}
        </Button>
      )}
    </Flex>
  );
}

interface Props {
  id: string;
  /** CSS width of the box; its height follows from the picture's shape. */
  width: (shape: number, pixels: number) => string;
  onOpen: () => void;
  onSelect?: () => void;
  selected?: boolean;
}

export function Picture({ id, width, onOpen, onSelect, selected }: Props) {
  const query = useGeneration(id);
  const generation = query.data;
  useEndInLists(generation);
  if (query.isError && !generation) return <ProblemNotice error={query.error} />;
  if (!generation) return <Loading />;
  const url = generation.image?.url ?? query.step?.preview;
  return (
    <Box
      position="relative"
      mx="auto"
      overflow="hidden"
      rounded="md"
      bg="bg.muted"
      outline={selected ? "2px solid" : undefined}
      outlineColor="brand.solid"
      outlineOffset="2px"
      style={{
        width: width(generation.width / generation.height, generation.width),
        aspectRatio: `${generation.width} / ${generation.height}`,
      }}
    >
      {url && (
        <Box asChild display="block" w="full" h="full" cursor="zoom-in">
          <button
            type="button"
            aria-label={onSelect ? t("generate.select", { prompt: generation.prompt }) : t("generate.open")}
            aria-pressed={onSelect ? selected : undefined}
            onClick={onSelect ?? onOpen}
            onDoubleClick={onSelect && onOpen}
          >
            <img
              src={url}
              alt={generation.prompt}
              draggable={false}
              style={{ width: "100%", height: "100%", objectFit: "contain" }}
            />
          </button>
        </Box>
      )}
      {!isEnded(generation) && <Waiting generation={generation} step={query.step} />}
      {isEnded(generation) && !generation.image && <Ended generation={generation} />}
    </Box>
  );
}
