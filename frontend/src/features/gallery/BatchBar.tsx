// While pictures are chosen: how many, and what can be done with all of them.
import { Box, Button, CloseButton, Flex, IconButton, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { Columns2, Download, Heart, Tags, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Generation } from "@/api/client";
import { Rating } from "@/components/Rating";
import { TagEditor } from "@/features/detail/TagEditor";
import { t } from "@/i18n";
import { deleteMany, exportMany, updateMany } from "./batch";
import { selection } from "./selection";

export const MOST_COMPARED = 4;

interface Props {
  /** In the order of the wall. */
  chosen: Generation[];
  loaded: number;
  mayWrite: boolean;
  onAll: () => void;
  onCompare: () => void;
}

const tool = { size: { base: "md", md: "sm" }, variant: "ghost" } as const;

function TagMany({ chosen }: { chosen: Generation[] }) {
  const client = useQueryClient();
  const common = (chosen[0]?.tags ?? []).filter((tag) => chosen.every((one) => one.tags.includes(tag)));
  const change = (tags: string[]) => {
    const add = tags.filter((tag) => !common.includes(tag));
    const remove = common.filter((tag) => !tags.includes(tag));
    void updateMany(client, chosen, {
      action: "update",
      ...(add.length ? { add_tags: add } : {}),
      ...(remove.length ? { remove_tags: remove } : {}),
    });
  };
  return (
    <Box flexBasis="full" maxW="lg" mx="auto" p="1.5">
      <Text fontSize="xs" color="fg.muted" mb="1">
        {t("gallery.commonTags")}
      </Text>
      <TagEditor tags={common} onChange={change} />
    </Box>
  );
}

function ExportMany({ ids }: { ids: string[] }) {
  const [busy, setBusy] = useState(false);
  return (
    <IconButton
      {...tool}
      aria-label={t("gallery.export")}
      title={t("gallery.export")}
      loading={busy}
      onClick={() => {
        setBusy(true);
        void exportMany(ids).then(() => setBusy(false));
      }}
    >
      <Download size={18} />
    </IconButton>
  );
}

export function BatchBar({ chosen, loaded, mayWrite, onAll, onCompare }: Props) {
  const client = useQueryClient();
  const [tagging, setTagging] = useState(false);
  const ids = chosen.map((one) => one.id);
  const favourite = chosen.every((one) => one.favourite);
  const rating = chosen.every((one) => one.rating === chosen[0]?.rating) ? (chosen[0]?.rating ?? 0) : 0;
  return (
    <Flex
      role="toolbar"
      aria-label={t("gallery.actions")}
      position="fixed"
      bottom={{ base: "calc(3.5rem + env(safe-area-inset-bottom))", md: "4" }}
      insetInline="0"
      mx="auto"
      w={{ base: "full", md: "fit-content" }}
      zIndex="docked"
      wrap="wrap"
      justify="center"
      align="center"
      gap="1"
      p="1.5"
      bg="bg.panel"
      borderWidth="1px"
      rounded={{ md: "lg" }}
      shadow="lg"
    >
      <CloseButton {...tool} aria-label={t("gallery.clearSelection")} onClick={selection.clear} />
      <Text px="1" fontWeight="medium" aria-live="polite">
        {t("gallery.chosen", { n: chosen.length })}
      </Text>
      {chosen.length < loaded && (
        <Button {...tool} onClick={onAll}>
          {t("gallery.chooseAll", { n: loaded })}
        </Button>
      )}
      {mayWrite && (
        <>
          <Rating
            value={rating}
            onChange={(next) => void updateMany(client, chosen, { action: "update", rating: next })}
          />
          <IconButton
            {...tool}
            aria-label={t("common.rating.favourite")}
            title={t("common.rating.favourite")}
            aria-pressed={favourite}
            color={favourite ? "red.fg" : undefined}
            onClick={() => void updateMany(client, chosen, { action: "update", favourite: !favourite })}
          >
            <Heart size={18} fill={favourite ? "currentColor" : "none"} />
          </IconButton>
          <IconButton
            {...tool}
            aria-label={t("gallery.tagThem")}
            title={t("gallery.tagThem")}
            aria-expanded={tagging}
            onClick={() => setTagging(!tagging)}
          >
            <Tags size={18} />
          </IconButton>
        </>
      )}
      <IconButton
        {...tool}
        aria-label={t("gallery.compare")}
        title={chosen.length < 2 || chosen.length > MOST_COMPARED ? t("gallery.compareHelp") : t("gallery.compare")}
        disabled={chosen.length < 2 || chosen.length > MOST_COMPARED}
        onClick={onCompare}
      >
        <Columns2 size={18} />
      </IconButton>
      <ExportMany ids={ids} />
      {mayWrite && (
        <IconButton
          {...tool}
          aria-label={t("common.delete")}
          title={t("common.delete")}
          onClick={() => void deleteMany(client, ids)}
        >
          <Trash2 size={18} />
        </IconButton>
      )}
      {tagging && <TagMany chosen={chosen} />}
    </Flex>
  );
}
