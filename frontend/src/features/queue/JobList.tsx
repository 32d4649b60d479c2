import { Button, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { CircleCheck, ListTodo } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { useMe } from "@/api/me";
import { MoreButton } from "@/components/MoreButton";
import { Rows } from "@/components/Rows";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { JobRow, jobColumns } from "./JobRow";
import { isFiltered, type JobFilter, jobsQuery, withFilter } from "./jobs";

function Nothing({ filter }: { filter: JobFilter }) {
  const [search] = useSearchParams();
  if (filter.status === "dead")
    return (
      <Empty icon={<CircleCheck size={36} />} title={t("queue.emptyDead")}>
        {t("queue.emptyDeadHelp")}
      </Empty>
    );
  const all = withFilter(search, { status: undefined, priority: undefined, experiment: undefined });
  return (
    <Empty
      icon={<ListTodo size={36} />}
      title={t(isFiltered(filter) ? "queue.emptyFiltered" : "queue.empty")}
      action={
        <Button asChild size="sm">
          {isFiltered(filter) ? (
            <Link to={`?${all}`}>{t("queue.clearFilters")}</Link>
          ) : (
            <Link to="/">{t("queue.emptyAction")}</Link>
          )}
        </Button>
      }
    >
      {!isFiltered(filter) && t("queue.emptyHelp")}
    </Empty>
  );
}

export function JobList({ filter }: { filter: JobFilter }) {
  const query = useInfiniteQuery(jobsQuery(filter));
  const { mayWrite } = useMe();
  const jobs = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.isPending) return <Loading />;
  if (query.isError && !jobs.length) return <ProblemNotice error={query.error} retry={() => void query.refetch()} />;
  if (!jobs.length) return <Nothing filter={filter} />;
  return (
    <>
      {query.isError && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      <Rows
        label={t("queue.list")}
        columns={jobColumns}
        names={[
          t("queue.column.job"),
          t("queue.column.status"),
          t("queue.column.priority"),
          t("queue.column.time"),
          t("queue.column.actions"),
        ]}
      >
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} mayWrite={mayWrite} />
        ))}
      </Rows>
      <MoreButton query={query} />
      {!query.hasNextPage && (
        <Text color="fg.muted" textAlign="center" fontSize="xs" p="3">
          {t("queue.end", { n: jobs.length })}
        </Text>
      )}
    </>
  );
}
