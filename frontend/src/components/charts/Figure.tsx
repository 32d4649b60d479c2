// The frame of a chart: its title, what it shows, the chart, and the same numbers as a table.
import { Box, Button, Flex, Heading, Table, Text } from "@chakra-ui/react";
import { Table as TableIcon } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { t } from "@/i18n";

export interface Column {
  key: string;
  label: string;
  numeric?: boolean;
}

interface Props {
  title: string;
  note?: string;
  columns: Column[];
  rows: Record<string, string>[];
  children: ReactNode;
}

export function Figure({ title, note, columns, rows, children }: Props) {
  const [table, setTable] = useState(false);
  const id = useId();
  return (
    <Box
      as="section"
      aria-labelledby={id}
      borderWidth="1px"
      rounded="lg"
      bg="bg.panel"
      p={{ base: "3", md: "4" }}
      minW="0"
    >
      <Flex gap="3" align="start" mb="2">
        <Box flex="1" minW="0">
          <Heading as="h2" id={id} size="sm">
            {title}
          </Heading>
          {note && (
            <Text fontSize="xs" color="fg.muted">
              {note}
            </Text>
          )}
        </Box>
        {rows.length > 0 && (
          <Button
            size="xs"
            variant="ghost"
            minH={{ base: "11", md: "7" }}
            aria-pressed={table}
            onClick={() => setTable(!table)}
          >
            <TableIcon size={14} />
            {t("analysis.table")}
          </Button>
        )}
      </Flex>
      {children}
      {table && <Numbers title={title} columns={columns} rows={rows} />}
    </Box>
  );
}

function Numbers({ title, columns, rows }: Pick<Props, "title" | "columns" | "rows">) {
  return (
    <Box overflowX="auto" mt="3" tabIndex={0} role="region" aria-label={t("analysis.tableOf", { title })}>
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            {columns.map(({ key, label, numeric }) => (
              <Table.ColumnHeader key={key} textAlign={numeric ? "end" : undefined}>
                {label}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows are never moved, and may be equal
            <Table.Row key={index}>
              {columns.map(({ key, numeric }) => (
                <Table.Cell key={key} textAlign={numeric ? "end" : undefined} fontVariantNumeric="tabular-nums">
                  {row[key]}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
    </Box>
  );
}
