// Names and values, one below the other.
import { Box } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** Pairs without a value are left out. */
export function Facts({ items }: { items: [name: string, value: ReactNode][] }) {
  return (
    <Box
      as="dl"
      display="grid"
      gridTemplateColumns="minmax(6rem, max-content) minmax(0, 1fr)"
      columnGap="4"
      rowGap="1.5"
    >
      {items.map(([name, value]) =>
        value === undefined || value === null || value === "" ? null : (
          <Box key={name} display="contents">
            <Box as="dt" color="fg.muted">
              {name}
            </Box>
            <Box as="dd" minW="0" overflowWrap="anywhere">
              {value}
            </Box>
          </Box>
        ),
      )}
    </Box>
  );
}
