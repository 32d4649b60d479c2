// What was drawn before, newest first, in one row: a click or Enter shows it; the arrow keys walk.
import { Box, Flex, Heading, IconButton, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { RotateCcw, Shuffle } from "lucide-react";
import { type KeyboardEvent, memo, useState } from "react";
import type { Generation } from "@/api/client";
import { ProblemNotice } from "@/components/states";
import { Thumb } from "@/components/Thumb";
import { t } from "@/i18n";
import { historyQuery } from "./draw";
import { useReuse, useVary } from "./PictureActions";
import { useStudio } from "./store";

const side = 80;

interface ItemProps {
  generation: Generation;
  current: boolean;
  /** Whether Tab reaches it. */
  entry: boolean;
  onShow: () => void;
  onFocus: () => void;
}

function Item({ generation, current, entry, onShow, onFocus }: ItemProps) {
  const reuse = useReuse();
  const varied = useVary();
  return (
    <Box position="relative" flexShrink="0" w={`${side}px`} className="group" css={{ contentVisibility: "auto" }}>
      <Box
        asChild
        display="block"
        w={`${side}px`}
        h={`${side}px`}
        rounded="md"
        overflow="hidden"
        borderWidth="2px"
        borderColor={current ? "brand.solid" : "transparent"}
      >
        <button
          type="button"
          data-history={generation.id}
          tabIndex={entry ? 0 : -1}
          aria-current={current}
          aria-label={t("generate.show", { prompt: generation.prompt, seed: String(generation.seed) })}
          title={generation.prompt}
          onClick={onShow}
          onFocus={onFocus}
        >
          <Thumb generation={generation} size={side} alt="" />
        </button>
      </Box>
      <Flex justify="space-between">
        <IconButton
          size="2xs"
          minW={{ base: "9", md: "7" }}
          h={{ base: "9", md: "7" }}
          variant="ghost"
          tabIndex={entry ? 0 : -1}
          aria-label={t("generate.reuse")}
          title={t("generate.reuse")}
          onClick={() => reuse(generation)}
        >
          <RotateCcw size={14} />
        </IconButton>
        <IconButton
          size="2xs"
          minW={{ base: "9", md: "7" }}
          h={{ base: "9", md: "7" }}
          variant="ghost"
          tabIndex={entry ? 0 : -1}
          aria-label={t("generate.variation.seed")}
          title={t("generate.variation.seed")}
          onClick={() => varied(generation, "seed")}
        >
          <Shuffle size={14} />
        </IconButton>
      </Flex>
    </Box>
  );
}

/** Arrows, Home and End move the focus along the strip. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const move = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
  if (move === undefined) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-history]")];
  const at = items.findIndex((one) => one.contains(document.activeElement));
  if (at < 0) return;
  event.preventDefault();
  const next = items[Math.min(items.length - 1, Math.max(0, at + move))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Kept from rendering with every letter that is typed beside it. */
export const History = memo(function History() {
  const query = useInfiniteQuery(historyQuery);
  const shown = useStudio((studio) => studio.shown);
  const set = useStudio((studio) => studio.set);
  const [focused, setFocused] = useState<string>();
  const { data, hasNextPage, isFetching, fetchNextPage } = query;
  const items = (data?.pages ?? []).flatMap((page) => page.items).filter((one) => !one.experiment_id);
  const entry = items.some((one) => one.id === focused) ? focused : items[0]?.id;
  const more = () => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  };
  if (query.isError && !data) return <ProblemNotice error={query.error} retry={() => void query.refetch()} />;
  if (!items.length && !hasNextPage) return null;
  return (
    <Box as="section" aria-labelledby="history" minW="0">
      <Heading as="h2" id="history" size="xs" mb="1" color="fg.muted" fontWeight="medium">
        {t("generate.history")}
      </Heading>
      <Flex
        gap="1.5"
        overflowX="auto"
        pb="1"
        px="0.5"
        pt="0.5"
        minH="116px"
        role="group"
        aria-labelledby="history"
        onKeyDown={walk}
        onScroll={({ currentTarget: strip }) => {
          if (strip.scrollLeft + strip.clientWidth > strip.scrollWidth - 600) more();
        }}
      >
        {items.map((one) => (
          <Item
            key={one.id}
            generation={one}
            entry={one.id === entry}
            current={shown.includes(one.id)}
            onFocus={() => setFocused(one.id)}
            onShow={() => set({ shown: [one.id], selected: one.id })}
          />
        ))}
        {hasNextPage && (
          <Box alignSelf="center" flexShrink="0">
            <IconButton
              variant="ghost"
              aria-label={t("generate.older")}
              title={t("generate.older")}
              loading={isFetching}
              onClick={more}
            >
              <Text aria-hidden>…</Text>
            </IconButton>
          </Box>
        )}
      </Flex>
    </Box>
  );
});
