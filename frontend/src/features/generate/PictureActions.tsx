// What can be done with a picture that was drawn: judge it, take its recipe, draw others like it, start from it.
import { Button, Flex, IconButton } from "@chakra-ui/react";
import { ChevronDown, ImageUp, Maximize2, RotateCcw, Shuffle } from "lucide-react";
import { useChange } from "@/api/changes";
import type { Generation } from "@/api/client";
import { ActionMenu } from "@/components/ActionMenu";
import { notify } from "@/components/notify";
import { Favourite, Rating } from "@/components/Rating";
import { useDetail } from "@/features/detail/useDetail";
import { draftOf } from "@/features/recipe/draft";
import { t } from "@/i18n";
import { useDraw } from "./draw";
import { useStudio } from "./store";
import { type Variation, variations, vary } from "./vary";

export function useReuse() {
  const set = useStudio((studio) => studio.set);
  return (generation: Generation) => {
    set({ draft: draftOf(generation.parameters) });
    notify.done(t(generation.parameters.init_sha256 ? "generate.takenNoStart" : "generate.taken"));
  };
}

/** Draws at once; the form keeps what is written in it. */
export function useVary() {
  const draw = useDraw();
  return (generation: Generation, kind: Variation) => {
    const { start } = useStudio.getState();
    if (generation.parameters.init_sha256 && kind !== "small" && !start) {
      notify.info(t("generate.noStart"), t("generate.noStartHelp"));
      return;
    }
    const request = vary(generation, kind, generation.parameters.init_sha256 ? start : undefined);
    draw.mutate(request, { onError: (error) => notify.error(error) });
  };
}

export function PictureActions({ generation, sequence }: { generation: Generation; sequence: string[] }) {
  const change = useChange();
  const detail = useDetail();
  const reuse = useReuse();
  const varied = useVary();
  const set = useStudio((studio) => studio.set);
  const button = { size: { base: "sm", md: "xs" }, variant: "outline" } as const;
  return (
    <Flex wrap="wrap" gap="2" justify="center" align="center">
      <Rating value={generation.rating ?? 0} onChange={(rating) => change(generation, { rating })} />
      <Favourite value={generation.favourite} onChange={(favourite) => change(generation, { favourite })} />
      <Button {...button} onClick={() => reuse(generation)}>
        <RotateCcw size={14} aria-hidden />
        {t("generate.reuse")}
      </Button>
      <ActionMenu
        {...button}
        items={variations.map((kind) => ({
          label: t(`generate.variation.${kind}`),
          run: () => varied(generation, kind),
        }))}
      >
        <Shuffle size={14} aria-hidden />
        {t("generate.vary")}
        <ChevronDown size={14} aria-hidden />
      </ActionMenu>
      <Button {...button} onClick={() => set({ start: { kind: "generation", id: generation.id } })}>
        <ImageUp size={14} aria-hidden />
        {t("generate.useAsStart")}
      </Button>
      <IconButton
        {...button}
        aria-label={t("generate.open")}
        title={t("generate.open")}
        onClick={() => detail.open(generation.id, sequence)}
      >
        <Maximize2 size={14} />
      </IconButton>
    </Flex>
  );
}
