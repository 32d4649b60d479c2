// The line at the foot: the cell that has the keyboard in words, with rating and favourite; what is marked and selected,
// and what can be done with it. Where nothing hovers, this is where a cell is read.
import { Box, Button, Flex, IconButton, Text } from "@chakra-ui/react";
import { Columns2, Download, X } from "lucide-react";
import { type Generation, thumbnail } from "@/api/client";
import { Favourite, Rating } from "@/components/Rating";
import { t } from "@/i18n";
import { type Cell, type Cube, describe } from "./cube";
import { comparable, grid, useGrid } from "./store";
import type { Change } from "./useMarks";

interface Props {
  cube: Cube;
  touch: boolean;
  mark: (generation: Generation, change: Change) => Promise<void>;
  compare: (ids: string[]) => void;
  zip: () => void;
}

function Marked({ cell, number }: { cell: Cell; number: number }) {
  return (
    <IconButton
      size="xs"
      variant="outline"
      p="0"
      overflow="hidden"
      aria-label={`${number}: ${t("grid.unmark")}`}
      title={t("grid.unmark")}
      onClick={() => grid.mark(cell.id)}
    >
      {cell.generation.image ? (
        <img src={thumbnail(cell.generation, 32)} alt="" width={30} height={30} style={{ objectFit: "cover" }} />
      ) : (
        number
      )}
    </IconButton>
  );
}

function Chosen({ cube, compare, zip }: Pick<Props, "cube" | "compare" | "zip">) {
  const marks = useGrid((state) => state.marks);
  const selected = useGrid((state) => state.selected);
  const both = comparable({ marks, selected });
  if (!marks.length && !selected.size) return null;
  return (
    <Flex align="center" gap="1.5" wrap="wrap" role="group" aria-label={t("grid.selection")}>
      {marks.map((id, i) => {
        const cell = cube.byId.get(id);
        return cell && <Marked key={id} cell={cell} number={i + 1} />;
      })}
      {selected.size > 0 && <Text fontSize="xs">{t("grid.selected", { n: selected.size })}</Text>}
      <Button
        size="xs"
        disabled={both.length < 2}
        title={both.length < 2 ? t("grid.compareHint") : undefined}
        onClick={() => compare(both)}
      >
        <Columns2 size={14} />
        {t("grid.compare")}
      </Button>
      {selected.size > 0 && (
        <Button size="xs" variant="outline" onClick={zip}>
          <Download size={14} />
          ZIP
        </Button>
      )}
      <IconButton size="xs" variant="ghost" aria-label={t("grid.clear")} title={t("grid.clear")} onClick={grid.clear}>
        <X size={14} />
      </IconButton>
    </Flex>
  );
}

function Said({ cube, cell }: { cube: Cube; cell: Cell }) {
  const { generation } = cell;
  return (
    <Text fontSize="xs" lineClamp="2" overflowWrap="anywhere">
      {describe(cube, cell) || generation.prompt}
      {generation.status !== "succeeded" && (
        <Box as="b" ms="2">
          {t(`common.status.${generation.status}`)}
          {generation.error && `: ${generation.error.message}`}
        </Box>
      )}
    </Text>
  );
}

export function Foot({ cube, touch, mark, compare, zip }: Props) {
  const active = useGrid((state) => state.active);
  const cell = active === undefined ? undefined : cube.byId.get(active);
  const generation = cell?.generation;
  return (
    <Flex data-foot align="center" gap="3" rowGap="1" wrap={{ base: "wrap", md: "nowrap" }} minH="8" flexShrink="0">
      <Box flex="1" minW={{ base: "full", md: "0" }} aria-live="polite">
        {cell ? (
          <Said cube={cube} cell={cell} />
        ) : (
          <Text fontSize="xs" color="fg.muted" lineClamp="2">
            {t(touch ? "grid.foot.idleTouch" : "grid.foot.idle")}
          </Text>
        )}
      </Box>
      {generation?.image && (
        <Flex align="center" flexShrink="0">
          <Rating
            value={generation.rating ?? 0}
            size={16}
            onChange={(rating) => void mark(generation, { rating: rating || null })}
          />
          <Favourite
            value={generation.favourite}
            size={16}
            onChange={(favourite) => void mark(generation, { favourite })}
          />
        </Flex>
      )}
      <Chosen cube={cube} compare={compare} zip={zip} />
    </Flex>
  );
}
