// What the compared pictures were drawn with; rows in which they differ are marked, by weight and word as well.
import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { t } from "@/i18n";
import type { Shown } from "./Pane";
import { letterOf, parameterRows } from "./parameters";

export function ParameterTable({ all }: { all: readonly Shown[] }) {
  const [only, setOnly] = useState(true);
  const rows = useMemo(() => parameterRows(all.map((one) => one.generation)), [all]);
  const shown = only ? rows.filter((row) => row.differs) : rows;
  const cell = { px: "2", py: "1", textAlign: "start", verticalAlign: "top", overflowWrap: "anywhere" } as const;
  return (
    <Box fontSize="xs">
      <Flex align="center" gap="2" mb="2">
        <Text as="h3" fontWeight="semibold" fontSize="sm" flex="1">
          {t("compare.parameters")}
        </Text>
        <label style={{ display: "flex", gap: "0.5rem", alignItems: "center", minHeight: "1.75rem" }}>
          <input type="checkbox" checked={only} onChange={({ target }) => setOnly(target.checked)} />
          {t("compare.onlyDifferent")}
        </label>
      </Flex>
      {!shown.length && <Text color="fg.muted">{t("compare.equal")}</Text>}
      {shown.length > 0 && (
        <Box as="table" w="full" borderCollapse="collapse" css={{ "& td, & th": { borderBottomWidth: "1px" } }}>
          <thead>
            <tr>
              <chakra.th scope="col" {...cell} color="fg.muted" fontWeight="medium">
                {t("compare.parameter")}
              </chakra.th>
              {all.map((one) => (
                <chakra.th scope="col" key={one.generation.id} {...cell}>
                  {letterOf(one.place)}
                </chakra.th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Box
                as="tr"
                key={row.name}
                bg={row.differs ? "brand.subtle" : undefined}
                data-differs={row.differs || undefined}
              >
                <chakra.th scope="row" {...cell} color="fg.muted" fontWeight="medium">
                  {row.title}
                  {row.differs && <Box as="span" srOnly>{` (${t("compare.differs")})`}</Box>}
                </chakra.th>
                {row.texts.map((text, i) => (
                  <Box
                    as="td"
                    key={all[i]?.generation.id}
                    {...cell}
                    fontWeight={row.differs ? "semibold" : undefined}
                    fontVariantNumeric="tabular-nums"
                  >
                    {text}
                  </Box>
                ))}
              </Box>
            ))}
          </tbody>
        </Box>
      )}
    </Box>
  );
}
