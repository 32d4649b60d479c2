// What the colours mean: the scale with its ends, and where the cell under the pointer stands on it.
import { Box, Flex, Spinner, Text } from "@chakra-ui/react";
import { t } from "@/i18n";
import type { Cube } from "./cube";
import { formatMeasure, measureTitle } from "./measures";
import type { Painting } from "./paint";
import { gradient, partOf } from "./scale";
import { useGrid } from "./store";

interface Props {
  cube: Cube;
  painting: Painting;
  busy: boolean;
}

export function Legend({ cube, painting, busy }: Props) {
  const at = useGrid((state) => state.hovered?.id ?? state.active);
  const { measure, range } = painting;
  const cell = at === undefined ? undefined : cube.byId.get(at);
  const value = cell && painting.value(cell);
  if (!range)
    return (
      <Flex align="center" gap="2" fontSize="xs" color="fg.muted" role="status">
        {busy && <Spinner size="xs" aria-hidden />}
        {t(busy ? "grid.measuring" : "grid.notMeasured")}
      </Flex>
    );
  const min = formatMeasure(measure, range.min);
  const max = formatMeasure(measure, range.max);
  return (
    <Flex align="center" gap="2" fontSize="xs" fontVariantNumeric="tabular-nums" data-legend minW="0">
      {busy && <Spinner size="xs" aria-label={t("grid.measuring")} />}
      <Text hideBelow="lg">{measureTitle(measure)}</Text>
      <span>{min}</span>
      <Box
        role="img"
        aria-label={t("grid.legend", { measure: measureTitle(measure), min, max })}
        position="relative"
        w={{ base: "24", md: "40" }}
        h="3"
        rounded="sm"
        style={{ background: gradient }}
      >
        {value !== undefined && (
          <Box
            data-legend-mark
            position="absolute"
            top="-1"
            bottom="-1"
            w="3px"
            ms="-1.5px"
            rounded="sm"
            bg="fg"
            borderWidth="1px"
            borderColor="bg"
            style={{ left: `${partOf(range, value) * 100}%` }}
          />
        )}
      </Box>
      <span>{max}</span>
      {value !== undefined && (
        <Text hideBelow="xl" color="fg.muted">
          {t("grid.valueHere", { value: formatMeasure(measure, value) })}
        </Text>
      )}
    </Flex>
  );
}
