// Where pictures appear: one large, several as a grid of which one is chosen; what can be done with it below.
import { Box, Button, Flex, SimpleGrid, Text } from "@chakra-ui/react";
import { useQueries, useQueryClient } from "@tanstack/react-query";
import { CircleStop, WandSparkles } from "lucide-react";
import { memo } from "react";
import type { Generation } from "@/api/client";
import { isEnded } from "@/api/live";
import { generationQuery } from "@/api/queries";
import { Empty } from "@/components/states";
import { useDetail } from "@/features/detail/useDetail";
import { formatSeconds, t } from "@/i18n";
import { cancelAll } from "./draw";
import { Picture } from "./Picture";
import { PictureActions } from "./PictureActions";
import { useStudio } from "./store";

/** Pictures may be enlarged so far before they look poor. */
const enlargement = 4;
const room = { base: "24rem", md: "17rem" };

const oneWidth = (shape: number, pixels: number): string =>
  `min(100%, ${pixels * enlargement}px, calc((100dvh - var(--room)) * ${shape}))`;

/** What is said when it changes: for those who do not see it. */
function announcement(pictures: Generation[]): string {
  const left = pictures.filter((one) => !isEnded(one)).length;
  if (!pictures.length) return "";
  if (left) return t("generate.drawing", { n: left });
  const drawn = pictures.filter((one) => one.status === "succeeded").length;
  return drawn ? t("generate.drawn", { n: drawn }) : t("generate.nothingDrawn");
}

function Caption({ generation }: { generation: Generation }) {
  const parts = [
    generation.model,
    generation.sampler,
    t("generate.steps", { n: generation.steps }),
    t("generate.seed", { seed: String(generation.seed) }),
    generation.reused
      ? t("generate.reusedShort")
      : generation.generation_time != null
        ? formatSeconds(generation.generation_time)
        : undefined,
  ];
  return (
    <Text fontSize="xs" color="fg.muted" textAlign="center" fontVariantNumeric="tabular-nums">
      {parts.filter(Boolean).join(" · ")}
    </Text>
  );
}

export const Stage = memo(function Stage({ onExample }: { onExample: (prompt: string) => void }) {
  const shown = useStudio((studio) => studio.shown);
  const selected = useStudio((studio) => studio.selected);
  const set = useStudio((studio) => studio.set);
  const client = useQueryClient();
  const detail = useDetail();
  const answers = useQueries({ queries: shown.map((id) => ({ ...generationQuery(id), retry: false })) });
  const pictures = answers.flatMap((one) => one.data ?? []);
  const chosen = pictures.find((one) => one.id === selected) ?? pictures[0];
  const drawing = pictures.some((one) => !isEnded(one));
  const several = shown.length > 1;

  if (!shown.length)
    return (
      <Empty
        icon={<WandSparkles size={40} />}
        title={t("generate.emptyTitle")}
        action={
          <Flex wrap="wrap" gap="2" justify="center">
            {[t("generate.example1"), t("generate.example2"), t("generate.example3")].map((example) => (
              <Button key={example} size="sm" variant="outline" onClick={() => onExample(example)}>
                {example}
              </Button>
            ))}
          </Flex>
        }
      >
        {t("generate.empty")}
      </Empty>
    );
  return (
    <Flex direction="column" gap="3" css={{ "--room": { base: room.base, md: room.md } }}>
      <Text srOnly aria-live="polite">
        {announcement(pictures)}
      </Text>
      {several ? (
        <Box mx="auto" w="full" style={{ maxWidth: `calc((100dvh - ${room.md}) * 1.3)` }}>
          <SimpleGrid columns={shown.length <= 4 ? 2 : { base: 3, md: 4 }} gap="2">
            {shown.map((id) => (
              <Picture
                key={id}
                id={id}
                width={() => "100%"}
                selected={id === chosen?.id}
                onSelect={() => set({ selected: id })}
                onOpen={() => detail.open(id, shown)}
              />
            ))}
          </SimpleGrid>
        </Box>
      ) : (
        shown.map((id) => <Picture key={id} id={id} width={oneWidth} onOpen={() => detail.open(id, shown)} />)
      )}
      {drawing && (
        <Button
          alignSelf="center"
          size={{ base: "md", md: "sm" }}
          variant="outline"
          onClick={() => void cancelAll(client, shown)}
        >
          <CircleStop size={16} aria-hidden />
          {t("generate.cancel")}
        </Button>
      )}
      {chosen && !drawing && <Caption generation={chosen} />}
      {chosen?.image && <PictureActions generation={chosen} sequence={shown} />}
    </Flex>
  );
});
