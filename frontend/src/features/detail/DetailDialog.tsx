// A picture over whatever page is shown: large, with zoom, its recipe beside it, the sequence that it was opened from
// under the arrow keys. `?view=id` in the address opens it (useDetail.ts).
import { Box, CloseButton, Dialog, Flex, IconButton, Portal, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Minus, Plus, Scan } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { deleteGeneration, useChange } from "@/api/changes";
import type { Generation } from "@/api/client";
import { useGeneration } from "@/api/live";
import { useMe } from "@/api/me";
import { generationQuery } from "@/api/queries";
import { Loading, ProblemNotice } from "@/components/states";
import { whole, type Zoom, zoomedAt } from "@/features/grid/zoom";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { DetailPanel } from "./DetailPanel";
import { useDetail, useSequence } from "./useDetail";
import { ZoomBox } from "./ZoomBox";

/** The neighbours' pictures are fetched before they are asked for. */
function usePreload(ids: (string | undefined)[]): void {
  const client = useQueryClient();
  const key = ids.join();
  useEffect(() => {
    for (const id of key.split(","))
      if (id)
        void client.fetchQuery({ ...generationQuery(id), staleTime: 60_000, retry: false }).then(
          ({ image }) => {
            if (image) new Image().src = image.url;
          },
          () => {}, // it will say so itself when it is opened
        );
  }, [client, key]);
}

function Shown({ generation, preview }: { generation: Generation; preview?: string }) {
  const url = generation.image?.url ?? preview;
  if (!url)
    return (
      <Flex w="full" h="full" align="center" justify="center">
        <Text color="fg.muted">{t(`common.status.${generation.status}`)}</Text>
      </Flex>
    );
  return (
    <img
      src={url}
      alt={generation.prompt}
      draggable={false}
      width={generation.width}
      height={generation.height}
      style={{ width: "100%", height: "100%", objectFit: "contain" }}
    />
  );
}

interface ToolsProps {
  zoom: (factor: number) => void;
  place: string | undefined;
  step: (direction: 1 | -1) => void;
  first: boolean;
  last: boolean;
}

function Tools({ zoom, place, step, first, last }: ToolsProps) {
  const tool = { size: { base: "md", md: "sm" }, variant: "ghost" } as const;
  return (
    <Flex
      position="absolute"
      bottom="2"
      insetInline="0"
      mx="auto"
      w="fit-content"
      align="center"
      bg="bg.panel/90"
      rounded="lg"
      borderWidth="1px"
    >
      {place && (
        <IconButton {...tool} aria-label={t("detail.previous")} disabled={first} onClick={() => step(-1)}>
          <ChevronLeft size={18} />
        </IconButton>
      )}
      {place && (
        <Text fontSize="xs" px="1" fontVariantNumeric="tabular-nums">
          {place}
        </Text>
      )}
      {place && (
        <IconButton {...tool} aria-label={t("detail.next")} disabled={last} onClick={() => step(1)}>
          <ChevronRight size={18} />
        </IconButton>
      )}
      <IconButton {...tool} aria-label={t("detail.zoomOut")} onClick={() => zoom(1 / 1.5)}>
        <Minus size={16} />
      </IconButton>
      <IconButton {...tool} aria-label={t("detail.zoomWhole")} onClick={() => zoom(0)}>
        <Scan size={16} />
      </IconButton>
      <IconButton {...tool} aria-label={t("detail.zoomIn")} onClick={() => zoom(1.5)}>
        <Plus size={16} />
      </IconButton>
    </Flex>
  );
}

function useDetailKeys(
  generation: Generation | undefined,
  mayWrite: boolean,
  step: (direction: 1 | -1) => void,
  zoom: (factor: number) => void,
  remove: () => void,
): void {
  const change = useChange();
  const stars = [1, 2, 3, 4, 5].map((rating) => ({
    keys: String(rating),
    label: t("common.rating.stars", { n: rating }),
    run: () => generation && change(generation, { rating: generation.rating === rating ? 0 : rating }),
  }));
  useHotkeys([
    { keys: "ArrowLeft", label: t("detail.previous"), run: () => step(-1) },
    { keys: "ArrowRight", label: t("detail.next"), run: () => step(1) },
    { keys: "+", label: t("detail.zoomIn"), run: () => zoom(1.5) },
    { keys: "=", label: t("detail.zoomIn"), run: () => zoom(1.5) },
    { keys: "-", label: t("detail.zoomOut"), run: () => zoom(1 / 1.5) },
    { keys: "0", label: t("detail.zoomWhole"), run: () => zoom(0) },
    ...(mayWrite
      ? [
          ...stars,
          {
            keys: "f",
            label: t("common.rating.favourite"),
            run: () => generation && change(generation, { favourite: !generation.favourite }),
          },
          { keys: "x", label: t("common.delete"), run: remove },
          { keys: "Delete", label: t("common.delete"), run: remove },
        ]
      : []),
  ]);
}

function useSteps(id: string) {
  const detail = useDetail();
  const { ids } = useSequence();
  const index = ids.indexOf(id);
  const before = index > 0 ? ids[index - 1] : undefined;
  const after = index >= 0 ? ids[index + 1] : undefined;
  const step = (direction: 1 | -1) => {
    const next = direction === 1 ? after : before;
    if (next) detail.open(next);
  };
  return { detail, ids, index, before, after, step };
}

export default function DetailDialog({ id }: { id: string }) {
  const { detail, ids, index, before, after, step } = useSteps(id);
  const client = useQueryClient();
  const { me } = useMe();
  const mayWrite = me?.role !== "viewer";
  const query = useGeneration(id);
  const generation = query.data;
  const [view, setView] = useState<{ id: string; zoom: Zoom }>({ id, zoom: whole });
  const zoom = view.id === id ? view.zoom : whole;
  const setZoom = useCallback(
    (change: (old: Zoom) => Zoom) => setView((old) => ({ id, zoom: change(old.id === id ? old.zoom : whole) })),
    [id],
  );
  const zoomBy = (factor: number) => setZoom((old) => zoomedAt(old, factor, 0.5, 0.5));
  usePreload([before, after]);
  const remove = () =>
    void deleteGeneration(client, id, t("detail.deleted")).then((gone) => {
      if (!gone) return;
      useSequence.setState({ ids: ids.filter((one) => one !== id) });
      const next = after ?? before;
      if (next) detail.open(next);
      else detail.close();
    });
  useDetailKeys(generation, mayWrite, step, zoomBy, remove);
  return (
    <Dialog.Root
      open
      onOpenChange={({ open }) => !open && detail.close()}
      closeOnInteractOutside={false}
      size="full"
      scrollBehavior="inside"
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner w="full">
          <Dialog.Content m="0" w="full" maxW="full" rounded="none" h="100dvh" maxH="100dvh" overflow="hidden" bg="bg">
            <Dialog.Title srOnly>{t("detail.title")}</Dialog.Title>
            {query.isError && !generation && (
              <Box p="6">
                <ProblemNotice error={query.error} title={t("detail.gone")} retry={() => void query.refetch()} />
              </Box>
            )}
            {!generation && !query.isError && <Loading />}
            {generation && (
              <Flex
                direction={{ base: "column", md: "row" }}
                h="full"
                minH="0"
                overflowY={{ base: "auto", md: "hidden" }}
              >
                <Box
                  position="relative"
                  flex={{ md: "1" }}
                  h={{ base: "60dvh", md: "full" }}
                  flexShrink="0"
                  minW="0"
                  bg="bg.subtle"
                >
                  <ZoomBox zoom={zoom} onZoom={setZoom} onSwipe={step} label={t("detail.picture")}>
                    <Shown generation={generation} preview={query.step?.preview} />
                  </ZoomBox>
                  <Tools
                    zoom={zoomBy}
                    step={step}
                    first={!before}
                    last={!after}
                    place={index >= 0 && ids.length > 1 ? `${index + 1} / ${ids.length}` : undefined}
                  />
                </Box>
                <Box
                  as="section"
                  aria-label={t("detail.about")}
                  tabIndex={0}
                  w={{ base: "full", md: "80", xl: "96" }}
                  flexShrink="0"
                  h={{ md: "full" }}
                  overflowY={{ md: "auto" }}
                  borderStartWidth={{ md: "1px" }}
                  bg="bg.panel"
                  pt={{ md: "8" }}
                >
                  <DetailPanel
                    key={id}
                    generation={generation}
                    mayWrite={mayWrite}
                    onOpen={detail.open}
                    onDelete={remove}
                  />
                </Box>
              </Flex>
            )}
            <Dialog.CloseTrigger asChild>
              <CloseButton aria-label={t("common.close")} bg="bg.panel" />
            </Dialog.CloseTrigger>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
