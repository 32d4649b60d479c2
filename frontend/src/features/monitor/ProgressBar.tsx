// How far a run is: a bar of what ended how, and the numbers behind it.
import { Box, Flex, SimpleGrid, Text } from "@chakra-ui/react";
import { useEffect, useRef, useState } from "react";
import type { Run } from "@/api/client";
import { endedOf } from "@/features/experiment/merge";
import { formatNumber, formatSeconds, type MessageKey, t } from "@/i18n";
import { addSample, averageRate, drawnOf, elapsedSeconds, rateOf, type Sample, secondsLeft } from "./rate";

const parts = [
  { key: "completed", colour: "brand.solid", pattern: undefined },
  { key: "failed", colour: "red.solid", pattern: undefined },
  { key: "cancelled", colour: "border.emphasized", pattern: undefined },
  {
    key: "impossible",
    colour: "bg.emphasized",
    pattern: "repeating-linear-gradient(135deg, currentColor 0 1px, transparent 1px 6px)",
  },
] as const;

export const percentOf = (run: Run): number => Math.floor((100 * endedOf(run)) / Math.max(run.total, 1));

export function ProgressBar({ run }: { run: Run }) {
  const total = Math.max(run.total, 1);
  const shown = parts.filter(({ key }) => run[key] > 0 || key === "completed" || key === "failed");
  return (
    <Box>
      <Flex
        role="progressbar"
        aria-label={t("monitor.bar")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percentOf(run)}
        aria-valuetext={t("monitor.percent", { percent: percentOf(run), ended: endedOf(run), total: run.total })}
        h="3"
        rounded="full"
        overflow="hidden"
        bg="bg.muted"
      >
        {parts.map(({ key, colour, pattern }) => (
          <Box
            key={key}
            bg={colour}
            color="fg.muted"
            backgroundImage={pattern}
            w={`${(100 * run[key]) / total}%`}
            transition="width 150ms"
          />
        ))}
      </Flex>
      <Flex gap="4" wrap="wrap" mt="2" fontSize="xs" color="fg.muted">
        {shown.map(({ key, colour, pattern }) => (
          <Flex key={key} align="center" gap="1.5">
            <Box boxSize="2.5" rounded="xs" bg={colour} backgroundImage={pattern} aria-hidden />
            {t(`monitor.counts.${key}` as MessageKey, { n: run[key] })}
          </Flex>
        ))}
        {run.reused > 0 && <Text>{t("monitor.counts.reused", { n: run.reused })}</Text>}
        <Text ms="auto">{t("monitor.counts.total", { n: run.total })}</Text>
      </Flex>
    </Box>
  );
}

/** The moment and the window of the rate, once a second while cells are drawn. */
function useClock(run: Run): { now: number; rate: number | undefined } {
  const [clock, setClock] = useState<{ now: number; samples: Sample[] }>(() => ({ now: Date.now(), samples: [] }));
  const drawn = useRef(0);
  useEffect(() => {
    drawn.current = drawnOf(run);
  });
  const running = run.status === "running";
  useEffect(() => {
    if (!running) return;
    const tick = () =>
      setClock(({ samples }) => {
        const now = Date.now();
        return { now, samples: addSample(samples, { at: now, drawn: drawn.current }) };
      });
    tick();
    const timer = setInterval(tick, 1000);
    return () => {
      clearInterval(timer);
      setClock({ now: Date.now(), samples: [] });
    };
  }, [running]);
  return { now: clock.now, rate: rateOf(clock.samples) };
}

export function Figures({ run }: { run: Run }) {
  const { now, rate: recent } = useClock(run);
  const rate = recent ?? averageRate(run, now);
  const left = secondsLeft(run, rate);
  const elapsed = elapsedSeconds(run, now);
  const ended = endedOf(run) >= run.total;
  const figures: [string, string][] = [
    [t("monitor.figures.progress"), t("monitor.figures.percent", { percent: percentOf(run) })],
    [
      t(recent === undefined ? "monitor.figures.averageRate" : "monitor.figures.rate"),
      rate === undefined
        ? "–"
        : t("monitor.figures.perMinute", { rate: formatNumber(rate < 10 ? rate : Math.round(rate)) }),
    ],
    [
      t("monitor.figures.left"),
      ended
        ? "–"
        : left === undefined
          ? t(run.status === "paused" ? "common.status.paused" : "common.unknown")
          : formatSeconds(left),
    ],
    [t("monitor.figures.elapsed"), elapsed === undefined ? "–" : formatSeconds(elapsed)],
  ];
  return (
    <SimpleGrid as="dl" columns={{ base: 2, md: 4 }} gap="3">
      {figures.map(([label, value]) => (
        <Box key={label} p="3" rounded="md" borderWidth="1px" bg="bg.panel">
          <Text as="dt" fontSize="xs" color="fg.muted">
            {label}
          </Text>
          <Text as="dd" fontSize="lg" fontWeight="semibold" fontVariantNumeric="tabular-nums">
            {value}
          </Text>
        </Box>
      ))}
    </SimpleGrid>
  );
}
