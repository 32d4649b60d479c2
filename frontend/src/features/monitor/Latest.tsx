// The newest picture, large, and in its corner the one that is being drawn now, step by step.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Generation, type Run, thumbnail } from "@/api/client";
import { isEnded, useGeneration } from "@/api/live";
import { useDetail } from "@/features/detail/useDetail";
import { type Axis, describeCell } from "@/features/experiment/coordinates";
import { drawingQuery } from "@/features/experiment/queries";
import { t } from "@/i18n";

/** The cell that is drawn at this moment; when it ends, the next. */
function useDrawing(run: Run) {
  const client = useQueryClient();
  const running = run.status === "running";
  const { data } = useQuery({ ...drawingQuery(run.id), enabled: running, refetchInterval: running ? 2000 : false });
  const first = running ? data?.items[0] : undefined;
  const { data: cell, step } = useGeneration(first?.id, first);
  const ended = cell !== undefined && isEnded(cell);
  useEffect(() => {
    if (ended) void client.invalidateQueries({ queryKey: drawingQuery(run.id).queryKey }, { cancelRefetch: false });
  }, [ended, client, run.id]);
  return running && cell && !ended ? { cell, step } : undefined;
}

function Preview({ url, label }: { url: string | undefined; label: string }) {
  return (
    <Box w="full" h="full" bg="bg.muted">
      {url && <img src={url} alt={label} style={{ width: "100%", height: "100%", objectFit: "contain" }} />}
    </Box>
  );
}

interface Props {
  run: Run;
  latest: Generation | undefined;
  axes: Axis[];
  /** The order in which the detail view goes on. */
  ids: string[];
}

export function Latest({ run, latest, axes, ids }: Props) {
  const detail = useDetail();
  const drawing = useDrawing(run);
  const steps = drawing?.step && t("monitor.latest.step", { step: drawing.step.step, steps: drawing.step.steps });
  return (
    <Box as="section" aria-label={t("monitor.latest.title")}>
      <Box position="relative" aspectRatio="1" w="full" maxW="lg" bg="bg.muted" rounded="lg" overflow="hidden">
        {latest ? (
          <Box asChild display="block" w="full" h="full" p="0" cursor="zoom-in">
            <button type="button" aria-label={t("monitor.latest.open")} onClick={() => detail.open(latest.id, ids)}>
              <img
                src={thumbnail(latest, 512)}
                alt={describeCell(latest, axes)}
                style={{ width: "100%", height: "100%", objectFit: "contain" }}
              />
            </button>
          </Box>
        ) : (
          <Flex h="full" align="center" justify="center" color="fg.muted" p="4" textAlign="center">
            {drawing?.step?.preview ? (
              <Preview url={drawing.step.preview} label={t("monitor.latest.preview")} />
            ) : (
              t(run.status === "running" ? "monitor.latest.soon" : "monitor.latest.none")
            )}
          </Flex>
        )}
        {latest && drawing && (
          <Box
            position="absolute"
            bottom="3"
            insetEnd="3"
            w="34%"
            aspectRatio="1"
            rounded="md"
            overflow="hidden"
            borderWidth="2px"
            borderColor="brand.solid"
            boxShadow="lg"
          >
            <Preview url={drawing.step?.preview} label={t("monitor.latest.preview")} />
          </Box>
        )}
      </Box>
      <Text fontSize="xs" color="fg.muted" mt="2" lineClamp="2" minH="9">
        {latest ? describeCell(latest, axes) : ""}
      </Text>
      <Text fontSize="xs" minH="9" lineClamp="2">
        {drawing ? t("monitor.latest.drawing", { cell: describeCell(drawing.cell, axes), step: steps || "" }) : ""}
      </Text>
    </Box>
  );
}
