// Parameters and measures of the cell under the pointer. It takes no focus and no clicks; Escape puts it away.
import { Box, Text } from "@chakra-ui/react";
import { t } from "@/i18n";
import type { Cell, Cube } from "./cube";
import { type Fact, measuresOf, parametersOf } from "./facts";
import type { Measured } from "./measures";
import { type Hovered, useGrid } from "./store";

const WIDTH = 300;
const ROOM = 8;

/** Beside the cell where there is room; never over it. */
export function placeOf({ box }: Hovered, window: { innerWidth: number; innerHeight: number }) {
  const right = box.right + ROOM + WIDTH <= window.innerWidth;
  const left = right ? box.right + ROOM : Math.max(ROOM, box.left - ROOM - WIDTH);
  const low = box.top > window.innerHeight / 2;
  return low
    ? { left, bottom: Math.max(ROOM, window.innerHeight - box.bottom) }
    : { left, top: Math.max(ROOM, box.top) };
}

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <Box as="dl" display="grid" gridTemplateColumns="auto 1fr" columnGap="3" rowGap="0.5" fontSize="xs" m="0">
      {facts.map((fact) => (
        <Box key={fact.title} display="contents">
          <Box as="dt" color="fg.muted">
            {fact.title}
          </Box>
          <Text as="dd" lineClamp="4" overflowWrap="anywhere" fontVariantNumeric="tabular-nums">
            {fact.text}
          </Text>
        </Box>
      ))}
    </Box>
  );
}

function About({ cube, cell, measured }: { cube: Cube; cell: Cell; measured: Measured }) {
  const { generation } = cell;
  const numbers = measuresOf(cell, measured);
  const prompt = !cube.axes.some((axis) => axis.name === "prompt");
  return (
    <>
      {generation.status !== "succeeded" && (
        <Text fontSize="xs" fontWeight="semibold" mb="1">
          {t(`common.status.${generation.status}`)}
          {generation.error && `: ${generation.error.message}`}
        </Text>
      )}
      {prompt && (
        <Text fontSize="xs" mb="1.5" lineClamp="3">
          {generation.prompt}
        </Text>
      )}
      <Facts facts={parametersOf(cube, cell)} />
      {numbers.length > 0 && (
        <Box mt="1.5" pt="1.5" borderTopWidth="1px">
          <Facts facts={numbers} />
        </Box>
      )}
    </>
  );
}

export function HoverCard({ cube, measured }: { cube: Cube; measured: Measured }) {
  const hovered = useGrid((state) => state.hovered);
  const cell = hovered && cube.byId.get(hovered.id);
  if (!hovered || !cell) return null;
  return (
    <Box
      role="tooltip"
      position="fixed"
      zIndex="popover"
      w={`${WIDTH}px`}
      maxW="calc(100vw - 16px)"
      p="2.5"
      bg="bg.panel"
      borderWidth="1px"
      rounded="md"
      shadow="lg"
      pointerEvents="none"
      style={placeOf(hovered, globalThis.window)}
    >
      <About cube={cube} cell={cell} measured={measured} />
    </Box>
  );
}
