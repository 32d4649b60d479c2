// What became of each record.
import { Badge, Box, Flex, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Choice, TextField } from "@/components/fields";
import { MoreButton } from "@/components/MoreButton";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { Loading, ProblemNotice } from "@/components/states";
import { formatBytes, t } from "@/i18n";
import { type ErrorClass, type RecordFilter, type RecordStatus, recordsQuery, type TaskRecord } from "./tasks";

const statuses = ["waiting", "ready", "stored", "failing", "succeeded", "failed", "cancelled"] as const;
const classes = ["mapping", "draw", "storage", "conflict", "results", "internal"] as const;
const palettes = {
  waiting: "brand",
  ready: "brand",
  stored: "brand",
  failing: "red",
  succeeded: "green",
  failed: "red",
  cancelled: "gray",
} as const;

/** The filter lives in the address. */
function useFilter(): [RecordFilter, (name: keyof RecordFilter, value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const one = <T extends string>(name: string, known: readonly T[]) => known.find((word) => word === search.get(name));
  const status = one<RecordStatus>("status", statuses);
  const why = one<ErrorClass>("class", classes);
  const record = search.get("record_id");
  const set = (name: keyof RecordFilter, value: string) => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { replace: true, preventScrollReset: true });
  };
  const filter = {
    ...(status ? { status } : {}),
    ...(why ? { class: why } : {}),
    ...(record ? { record_id: record } : {}),
  };
  return [filter, set];
}

/** Asked when the typing rests: an id is wanted whole. */
function RecordSearch({ value, onSearch }: { value: string; onSearch: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onSearch(typed), 300);
    return () => clearTimeout(timer);
  }, [typed, value, onSearch]);
  return (
    <Box w="12rem">
      <TextField
        label={t("tasks.recordSearch")}
        type="search"
        size="sm"
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
    </Box>
  );
}

function Filters() {
  const [filter, set] = useFilter();
  return (
    <Flex gap="3" wrap="wrap" align="end" mb="3">
      <Choice
        label={t("tasks.recordFilter")}
        size="sm"
        width="11rem"
        value={filter.status ?? ""}
        options={[["", t("common.all")], ...statuses.map((one) => [one, t(`tasks.record.${one}`)] as const)]}
        onChange={(value) => set("status", value)}
      />
      <Choice
        label={t("tasks.classFilter")}
        size="sm"
        width="11rem"
        value={filter.class ?? ""}
        options={[["", t("common.all")], ...classes.map((one) => [one, t(`tasks.class.${one}`)] as const)]}
        onChange={(value) => set("class", value)}
      />
      <RecordSearch value={filter.record_id ?? ""} onSearch={(value) => set("record_id", value)} />
    </Flex>
  );
}

function Where({ record }: { record: TaskRecord }) {
  if (record.error)
    return (
      <Text color="fg.error">
        {t(`tasks.class.${record.error.class}`)}: {record.error.message}
      </Text>
    );
  if (record.https?.startsWith("https:"))
    return (
      <Box asChild color="brand.fg" textDecoration="underline">
        <a href={record.https} target="_blank" rel="noreferrer">
          {record.object}
        </a>
      </Box>
    );
  return <Text title={record.url ?? undefined}>{record.object}</Text>;
}

function RecordRow({ record }: { record: TaskRecord }) {
  const [search] = useSearchParams();
  const view = new URLSearchParams(search);
  if (record.generation_id) view.set("view", record.generation_id);
  return (
    <Row>
      <Cell label={t("tasks.columns.number")}>{record.number}</Cell>
      <Cell label={t("tasks.columns.record")}>
        {record.generation_id ? (
          <Box asChild color="brand.fg" textDecoration="underline">
            <Link to={`?${view}`} preventScrollReset aria-label={t("tasks.picture", { record: record.record_id })}>
              {record.record_id}
            </Link>
          </Box>
        ) : (
          record.record_id
        )}
      </Cell>
      <Cell>
        <Badge variant="outline" colorPalette={palettes[record.status]}>
          {t(`tasks.record.${record.status}`)}
        </Badge>
      </Cell>
      <Cell>
        <Where record={record} />
      </Cell>
      <Cell label={t("tasks.columns.size")}>{record.bytes ? formatBytes(record.bytes) : ""}</Cell>
    </Row>
  );
}

export function Records({ id }: { id: string }) {
  const [filter] = useFilter();
  const query = useInfiniteQuery({ ...recordsQuery(id, filter), placeholderData: (old) => old });
  const records = query.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Object.keys(filter).length > 0;
  return (
    <Panel title={t("tasks.records")}>
      <Filters />
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.data && !records.length && <Text>{t(filtered ? "tasks.noRecords" : "tasks.notYet")}</Text>}
      {records.length > 0 && (
        <Rows
          label={t("tasks.records")}
          columns="4rem minmax(6rem, 1fr) 10rem minmax(10rem, 3fr) 5rem"
          names={[
            t("tasks.columns.number"),
            t("tasks.columns.record"),
            t("tasks.columns.state"),
            t("tasks.columns.object"),
            t("tasks.columns.size"),
          ]}
        >
          {records.map((record) => (
            <RecordRow key={record.id} record={record} />
          ))}
        </Rows>
      )}
      <MoreButton query={query} />
    </Panel>
  );
}
