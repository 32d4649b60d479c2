// Beside the large picture: what it shows, how it is judged, its recipe, where to go from here.
import { Box, Button, Flex, Heading, HStack, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useChange } from "@/api/changes";
import { api, call, type Generation } from "@/api/client";
import { CopyButton } from "@/components/CopyButton";
import { Facts } from "@/components/Facts";
import { Favourite, Rating } from "@/components/Rating";
import { ProblemNotice } from "@/components/states";
import { retry } from "@/features/generate/draw";
import { t } from "@/i18n";
import { drawnFacts, recipeFacts } from "./facts";
import { ExperimentLinks, GoOn } from "./Links";
import { Similar } from "./Similar";
import { TagEditor } from "./TagEditor";

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <Box as="section">
      <Flex align="center" justify="space-between" gap="2" mb="1.5" minH="7" wrap="wrap">
        <Heading as="h3" size="xs" color="fg.muted" fontWeight="medium">
          {title}
        </Heading>
        {aside}
      </Flex>
      {children}
    </Box>
  );
}

function RecipeCopies({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ["recipe", id],
    queryFn: () => call(api.GET("/api/v1/generations/{id}/recipe", { params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!data) return null;
  return (
    <HStack gap="1.5">
      <CopyButton text={data.text} label={t("detail.copyText")} />
      <CopyButton text={JSON.stringify(data.recipe, null, 2)} label={t("detail.copyJson")} />
    </HStack>
  );
}

function Failed({ generation, mayWrite }: { generation: Generation; mayWrite: boolean }) {
  const client = useQueryClient();
  const { status, error } = generation;
  if (status !== "failed" && status !== "cancelled" && status !== "impossible") return null;
  const again = mayWrite && status !== "impossible";
  return (
    <ProblemNotice
      title={t(`common.status.${status}`)}
      error={new Error(error?.message ?? t("detail.noReason"))}
      retry={again ? () => void retry(client, generation.id) : undefined}
    />
  );
}

interface Props {
  generation: Generation;
  mayWrite: boolean;
  onOpen: (id: string, all: string[]) => void;
  onDelete: () => void;
}

export function DetailPanel({ generation, mayWrite, onOpen, onDelete }: Props) {
  const change = useChange();
  return (
    <Flex direction="column" gap="4" p="4">
      <Failed generation={generation} mayWrite={mayWrite} />
      <Text fontSize="md" whiteSpace="pre-wrap" overflowWrap="anywhere" userSelect="text">
        {generation.prompt}
      </Text>
      {generation.negative_prompt && (
        <Text color="fg.muted" overflowWrap="anywhere">
          {t("detail.without", { text: generation.negative_prompt })}
        </Text>
      )}
      {mayWrite && (
        <HStack gap="2">
          <Rating value={generation.rating ?? 0} onChange={(rating) => change(generation, { rating })} />
          <Favourite value={generation.favourite} onChange={(favourite) => change(generation, { favourite })} />
        </HStack>
      )}
      <GoOn generation={generation} mayWrite={mayWrite} />
      <ExperimentLinks generation={generation} />
      <Part title={t("detail.tags")}>
        <TagEditor tags={generation.tags} disabled={!mayWrite} onChange={(tags) => change(generation, { tags })} />
      </Part>
      <Part title={t("detail.recipe")} aside={<RecipeCopies id={generation.id} />}>
        <Facts items={recipeFacts(generation)} />
      </Part>
      <Part title={t("detail.similar")}>
        <Similar id={generation.id} onOpen={onOpen} />
      </Part>
      <Part title={t("detail.drawn")}>
        <Facts items={drawnFacts(generation)} />
      </Part>
      {mayWrite && (
        <Button
          size={{ base: "sm", md: "xs" }}
          variant="outline"
          colorPalette="red"
          alignSelf="start"
          onClick={onDelete}
        >
          <Trash2 size={14} aria-hidden />
          {t("common.delete")}
        </Button>
      )}
    </Flex>
  );
}
