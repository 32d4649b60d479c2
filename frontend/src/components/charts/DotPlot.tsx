// Values with intervals, one a row, on a common scale: marginal effects, scores of a jury. Each row is a button.
import { Box, Flex, Text } from "@chakra-ui/react";
import { range } from "./series";

export interface DotRow {
  key: string;
  label: string;
  value: number | null;
  low: number | null;
  high: number | null;
  /** The numbers in words: also what a screen reader hears. */
  text: string;
}

interface Props {
  rows: DotRow[];
  /** A line to compare with. */
  zero?: number;
  selected?: string;
  onSelect?: (key: string) => void;
}

export function DotPlot({ rows, zero, selected, onSelect }: Props) {
  const values = rows.flatMap(({ value, low, high }) => [value, low, high]);
  const [least, most] = range(zero === undefined ? values : [...values, zero]);
  const at = (value: number) => `${(100 * (value - least)) / (most - least)}%`;
  return (
    <Box as="ul" listStyleType="none">
      {rows.map((row) => (
        <li key={row.key}>
          <Flex
            as={onSelect ? "button" : "div"}
            aria-pressed={onSelect ? row.key === selected : undefined}
            w="full"
            align="center"
            gap="3"
            px="2"
            py="1"
            minH={{ base: "11", md: "9" }}
            wrap={{ base: "wrap", md: "nowrap" }}
            textAlign="start"
            rounded="md"
            bg={onSelect && row.key === selected ? "bg.muted" : undefined}
            _hover={onSelect ? { bg: "bg.muted" } : undefined}
            onClick={onSelect && (() => onSelect(row.key))}
          >
            <Text w={{ base: "full", md: "36" }} flexShrink="0" truncate title={row.label} fontSize="sm">
              {row.label}
            </Text>
            <Box flex="1 1 8rem" minW="24" h="5" position="relative" aria-hidden>
              <Box position="absolute" insetInline="0" top="50%" borderTopWidth="1px" borderColor="border" />
              {zero !== undefined && (
                <Box
                  position="absolute"
                  insetBlock="0"
                  left={at(zero)}
                  borderStartWidth="1px"
                  borderColor="border.emphasized"
                />
              )}
              {row.low !== null && row.high !== null && (
                <Box
                  position="absolute"
                  top="calc(50% - 2px)"
                  h="4px"
                  rounded="full"
                  bg="brand.emphasized"
                  left={at(row.low)}
                  w={`${(100 * (row.high - row.low)) / (most - least)}%`}
                />
              )}
              {row.value !== null && (
                <Box
                  position="absolute"
                  top="calc(50% - 5px)"
                  left={`calc(${at(row.value)} - 5px)`}
                  boxSize="10px"
                  rounded="full"
                  bg="brand.solid"
                />
              )}
            </Box>
            <Text
              w={{ base: "full", md: "72" }}
              flexShrink={{ base: "1", md: "0" }}
              fontSize="xs"
              color="fg.muted"
              fontVariantNumeric="tabular-nums"
            >
              {row.text}
            </Text>
          </Flex>
        </li>
      ))}
    </Box>
  );
}
