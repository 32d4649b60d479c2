// Settings in order, by any column; a row opens its pictures.
import { Badge, Box, Button, Flex, Heading, Table, Text } from "@chakra-ui/react";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useState } from "react";
import { type Axis, describeSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { formatBytes, t } from "@/i18n";
import type { Setting } from "./plots";
import { nextSort, type Row, type Sort, type SortKey, sorted } from "./ranking";
import { figure, withInterval } from "./words";

const FIRST = 20;

interface Props {
  analysis: Analysis;
  axes: Axis[];
  selected?: string;
  onSelect: (key: string, setting: Setting) => void;
}

export function Ranking({ analysis, axes, selected, onSelect }: Props) {
  const [sort, setSort] = useState<Sort>();
  const [most, setMost] = useState(FIRST);
  const rows = sorted(analysis.ranking, sort);
  const columns: [SortKey, string][] = [
    ["setting", t("analysis.setting")],
    ["y", analysis.measure_info?.title ?? analysis.measure],
    ["seconds", t("common.measure.seconds")],
    ["steps_per_second", t("common.measure.steps_per_second")],
    ["memory", t("common.measure.memory")],
    ["n", t("analysis.samples")],
  ];
  return (
    <Box
      as="section"
      aria-label={t("analysis.ranking.title")}
      borderWidth="1px"
      rounded="lg"
      bg="bg.panel"
      p={{ base: "3", md: "4" }}
    >
      <Heading as="h2" size="sm">
        {t("analysis.ranking.title")}
      </Heading>
      <Text fontSize="xs" color="fg.muted" mb="2">
        {t("analysis.ranking.note")}
      </Text>
      <Box
        overflowX="auto"
        tabIndex={0}
        role="region"
        aria-label={t("analysis.tableOf", { title: t("analysis.ranking.title") })}
      >
        <Table.Root size="sm">
          <Table.Header>
            <Table.Row>
              {columns.map(([key, label]) => (
                <Table.ColumnHeader
                  key={key}
                  aria-sort={sort?.key !== key ? "none" : sort.down ? "descending" : "ascending"}
                >
                  <Button variant="ghost" size="xs" px="1" onClick={() => setSort(nextSort(sort, key))}>
                    {label}
                    {sort?.key === key && (sort.down ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
                  </Button>
                </Table.ColumnHeader>
              ))}
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {rows.slice(0, most).map((row) => (
              <Line
                key={JSON.stringify(row.setting)}
                row={row}
                name={describeSetting(row.setting, axes) || t("analysis.everything")}
                selected={selected === JSON.stringify(row.setting)}
                onSelect={() => onSelect(JSON.stringify(row.setting), row.setting)}
              />
            ))}
          </Table.Body>
        </Table.Root>
      </Box>
      {rows.length > most && (
        <Button size="sm" variant="ghost" mt="2" onClick={() => setMost(most + 100)}>
          {t("analysis.ranking.more", { n: rows.length - most })}
        </Button>
      )}
    </Box>
  );
}

function Line({ row, name, selected, onSelect }: { row: Row; name: string; selected: boolean; onSelect: () => void }) {
  return (
    <Table.Row bg={selected ? "bg.muted" : undefined} fontVariantNumeric="tabular-nums">
      <Table.Cell minW={{ base: "56", md: "64" }}>
        <Flex align="center" gap="2" wrap="wrap">
          <Button
            variant="plain"
            size="xs"
            px="1"
            h="auto"
            minH={{ base: "11", md: "7" }}
            whiteSpace="normal"
            textAlign="start"
            justifyContent="start"
            aria-pressed={selected}
            onClick={onSelect}
          >
            {name}
          </Button>
          {row.frontier && (
            <Badge size="xs" variant="outline" colorPalette="green">
              {t("analysis.ranking.frontier")}
            </Badge>
          )}
        </Flex>
      </Table.Cell>
      <Table.Cell minW="44">{withInterval(row.y)}</Table.Cell>
      <Table.Cell>{figure(row.seconds.mean)}</Table.Cell>
      <Table.Cell>{figure(row.steps_per_second?.mean)}</Table.Cell>
      <Table.Cell whiteSpace="nowrap">
        {typeof row.memory?.mean === "number" ? formatBytes(row.memory.mean) : "–"}
      </Table.Cell>
      <Table.Cell>{row.y.n}</Table.Cell>
    </Table.Row>
  );
}
