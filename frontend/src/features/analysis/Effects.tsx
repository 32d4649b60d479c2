// What each axis does: its share of the variance, and the mean of every value with its interval.
import { Box, Flex, Heading, Stack, Text } from "@chakra-ui/react";
import { DotPlot } from "@/components/charts/DotPlot";
import { Figure } from "@/components/charts/Figure";
import { axisName } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { t } from "@/i18n";
import type { Setting } from "./plots";
import { difference, percent, withInterval } from "./words";

type Factor = Analysis["importance"][number];

/** What a row's pictures have in common. Replicates are told apart by their place. */
export function settingOf(factor: Factor, index: number): Setting {
  const effect = factor.effects[index];
  if (factor.name === "replicate") return { replicate: index };
  return { [factor.name]: effect?.value ?? effect?.label };
}

function Bar({ label, share, n, weak }: { label: string; share: number | null; n: number; weak?: boolean }) {
  return (
    <Flex as="li" align="center" gap="3" py="1" wrap={{ base: "wrap", md: "nowrap" }}>
      <Text w={{ base: "full", md: "44" }} flexShrink="0" truncate title={label}>
        {label}
      </Text>
      <Box flex="1" h="3" minW="24" rounded="full" bg="bg.muted" overflow="hidden" aria-hidden>
        <Box
          h="full"
          bg={weak ? "brand.emphasized" : "brand.solid"}
          w={`${100 * Math.min(1, Math.max(0, share ?? 0))}%`}
        />
      </Box>
      <Text w="44" flexShrink="0" fontSize="xs" color="fg.muted" fontVariantNumeric="tabular-nums">
        {share === null
          ? t("analysis.importance.unknown")
          : t("analysis.importance.share", { share: percent(share), n })}
      </Text>
    </Flex>
  );
}

export function Importance({ analysis }: { analysis: Analysis }) {
  const factors = analysis.importance.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1));
  const pairs = (analysis.interactions ?? []).toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1)).slice(0, 5);
  const nameOf = (factor: (typeof pairs)[number]) => factor.factors.map(axisName).join(" × ");
  return (
    <Figure
      title={t("analysis.importance.title")}
      note={t("analysis.importance.note")}
      columns={[
        { key: "name", label: t("analysis.importance.axis") },
        { key: "share", label: t("analysis.importance.column"), numeric: true },
        { key: "n", label: t("analysis.samples"), numeric: true },
      ]}
      rows={[
        ...factors.map(({ name, share, n }) => ({
          name: axisName(name),
          share: share === null ? "–" : percent(share),
          n: String(n),
        })),
        ...(analysis.interactions ?? []).map((pair) => ({
          name: nameOf(pair),
          share: pair.share === null ? "–" : percent(pair.share),
          n: String(pair.n),
        })),
      ]}
    >
      <Box as="ul" listStyleType="none">
        {factors.map(({ name, share, n }) => (
          <Bar key={name} label={axisName(name)} share={share} n={n} />
        ))}
      </Box>
      {pairs.length > 0 && (
        <>
          <Heading as="h3" size="xs" mt="3">
            {t("analysis.importance.together")}
          </Heading>
          <Box as="ul" listStyleType="none">
            {pairs.map((pair) => (
              <Bar key={pair.factors.join()} label={nameOf(pair)} share={pair.share} n={pair.n} weak />
            ))}
          </Box>
        </>
      )}
      {typeof analysis.unexplained === "number" && (
        <Text fontSize="xs" color="fg.muted" mt="2">
          {t("analysis.importance.unexplained", { share: percent(Math.max(0, analysis.unexplained)) })}
        </Text>
      )}
    </Figure>
  );
}

interface EffectsProps {
  analysis: Analysis;
  selected?: string;
  onSelect: (key: string, setting: Setting) => void;
}

export function Effects({ analysis, selected, onSelect }: EffectsProps) {
  const many = analysis.importance.filter((factor) => factor.effects.length > 1);
  return (
    <Figure
      title={t("analysis.effects.title")}
      note={t("analysis.effects.note")}
      columns={[
        { key: "axis", label: t("analysis.importance.axis") },
        { key: "value", label: t("analysis.effects.value") },
        { key: "mean", label: t("analysis.effects.mean") },
        { key: "difference", label: t("analysis.effects.difference") },
      ]}
      rows={many.flatMap((factor) =>
        factor.effects.map((effect) => ({
          axis: axisName(factor.name),
          value: effect.label,
          mean: withInterval(effect.mean),
          difference: difference(effect.against_first),
        })),
      )}
    >
      <Stack gap="4">
        {many.map((factor) => (
          <Box key={factor.name}>
            <Heading as="h3" size="xs" mb="1">
              {axisName(factor.name)}
            </Heading>
            <DotPlot
              rows={factor.effects.map((effect, index) => ({
                key: `${factor.name} ${index}`,
                label: effect.label,
                value: effect.mean.mean,
                low: effect.mean.low,
                high: effect.mean.high,
                text: [withInterval(effect.mean), difference(effect.against_first)].filter(Boolean).join("; "),
              }))}
              selected={selected}
              onSelect={(key) => onSelect(key, settingOf(factor, Number(key.slice(factor.name.length + 1))))}
            />
          </Box>
        ))}
      </Stack>
    </Figure>
  );
}
