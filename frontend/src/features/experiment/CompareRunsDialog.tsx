// Two runs of one experiment cell by cell: did an upgrade, another machine or another engine change the pictures?
import { Badge, Box, Button, Flex, HStack, Stack, Text } from "@chakra-ui/react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { Loading, ProblemNotice } from "@/components/states";
import { SelectField } from "@/features/recipe/fields";
import { formatNumber, t } from "@/i18n";
import { describeSetting } from "./coordinates";
import { comparisonQuery, runsQuery } from "./queries";
import { Sheet } from "./Sheet";

type Item = NonNullable<Schemas["Comparison"]["items"]>[number];

export function CompareRunsDialog({ id, newest, onClose }: { id: string; newest: number; onClose: () => void }) {
  const runs = useQuery(runsQuery(id));
  const [pair, setPair] = useState<[number, number]>([newest - 1, newest]);
  const options = (runs.data?.items ?? []).map((run) => ({
    value: String(run.number),
    label: t("monitor.run.number", { number: run.number }),
  }));
  const choose = (side: 0 | 1) => (value: string | undefined) =>
    setPair((old) => (side === 0 ? [Number(value), old[1]] : [old[0], Number(value)]));
  return (
    <Sheet title={t("monitor.compare.title")} onClose={onClose} wide>
      <HStack mb="4" gap="3">
        {([0, 1] as const).map((side) => (
          <Box key={side} flex="1">
            <SelectField
              label={t(side ? "monitor.compare.with" : "monitor.compare.run")}
              value={String(pair[side])}
              options={options}
              onChange={choose(side)}
            />
          </Box>
        ))}
      </HStack>
      {runs.error && <ProblemNotice error={runs.error} retry={() => void runs.refetch()} />}
      {pair[0] === pair[1] ? (
        <Text color="fg.muted">{t("monitor.compare.same")}</Text>
      ) : (
        <Pairs id={id} run={pair[0]} other={pair[1]} />
      )}
    </Sheet>
  );
}

function Pairs({ id, run, other }: { id: string; run: number; other: number }) {
  const query = useInfiniteQuery(comparisonQuery(id, run, other));
  const [all, setAll] = useState(false);
  if (query.error) return <ProblemNotice error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Loading label={t("monitor.compare.measuring")} />;
  const first = query.data.pages[0];
  const items = query.data.pages.flatMap((page) => page.items ?? []);
  const shown = all ? items : items.filter((item) => !item.identical);
  return (
    <Stack gap="3">
      <Flex gap="3" wrap="wrap" align="center">
        <Text flex="1" minW="48" role="status">
          {t("monitor.compare.summary", {
            identical: first?.identical ?? 0,
            different: first?.different ?? 0,
            unpaired: first?.unpaired ?? 0,
          })}
        </Text>
        <Button size="xs" variant="outline" aria-pressed={all} onClick={() => setAll(!all)}>
          {t("monitor.compare.all")}
        </Button>
      </Flex>
      {!shown.length && <Text color="fg.muted">{t("monitor.compare.nothing")}</Text>}
      {shown.map((item) => (
        <PairRow key={`${item.left} ${item.right} ${JSON.stringify(item.axes)}`} item={item} />
      ))}
      {query.hasNextPage && (
        <Button variant="outline" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("common.more")}
        </Button>
      )}
    </Stack>
  );
}

function PairRow({ item }: { item: Item }) {
  const axes = describeSetting(item.axes ?? {}, []);
  const measures = [
    typeof item.ssim === "number" && t("monitor.compare.ssim", { value: formatNumber(item.ssim) }),
    typeof item.psnr === "number" && t("monitor.compare.psnr", { value: formatNumber(item.psnr) }),
  ].filter(Boolean);
  return (
    <Flex gap="3" align="center" borderTopWidth="1px" pt="3">
      {[item.left, item.right].map((generation, side) => (
        <Box
          key={side ? "right" : "left"}
          boxSize={{ base: "20", md: "28" }}
          bg="bg.muted"
          rounded="sm"
          overflow="hidden"
          flexShrink="0"
        >
          {generation && (
            <a href={`/api/v1/generations/${generation}/image`} target="_blank" rel="noreferrer">
              <img
                src={`/api/v1/generations/${generation}/thumbnail?size=256`}
                alt={t("monitor.compare.picture", { axes, side: side ? 2 : 1 })}
                loading="lazy"
                style={{ width: "100%", height: "100%", objectFit: "cover" }}
              />
            </a>
          )}
        </Box>
      ))}
      <Box minW="0" fontSize="xs">
        <Text lineClamp="3">{axes}</Text>
        <Badge mt="1">{t(item.identical ? "monitor.compare.identical" : "monitor.compare.different")}</Badge>
        <Text color="fg.muted">{measures.join(", ")}</Text>
      </Box>
    </Flex>
  );
}
