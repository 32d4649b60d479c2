// Jobs of the queue: what is asked for (kept in the address), how it is asked, what may be done with one.
import { type InfiniteData, infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, call, type Job, type Schemas } from "@/api/client";
import type { operations } from "@/api/types";

export type JobStatus = Schemas["JobStatus"];
export type Priority = Schemas["Priority"];
export type JobPage = Schemas["JobPage"];

export interface JobFilter {
  /** "dead": failed for good; a list of its own. */
  status?: JobStatus | "dead";
  priority?: Priority;
  experiment?: string;
}

export const statuses: readonly JobStatus[] = ["queued", "running", "succeeded", "failed", "cancelled"];
export const priorities: readonly Priority[] = ["interactive", "batch"];
const among = <T extends string>(list: readonly T[], value: string | null): T | undefined =>
  list.find((one) => one === value);

export function filterOf(search: URLSearchParams): JobFilter {
  return {
    status: among([...statuses, "dead"] as const, search.get("status")),
    priority: among(priorities, search.get("priority")),
    experiment: search.get("experiment") ?? undefined,
  };
}

/** The other search params (the detail view's) stay. */
export function withFilter(search: URLSearchParams, change: JobFilter): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const name of ["status", "priority", "experiment"] as const) {
    if (!(name in change)) continue;
    const value = change[name];
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}

export const isFiltered = (filter: JobFilter): boolean =>
  Boolean(filter.status || filter.priority || filter.experiment);

type JobQuery = NonNullable<operations["list_jobs"]["parameters"]["query"]>;

function queryOf({ status, priority, experiment }: JobFilter): JobQuery {
  return {
    ...(status && status !== "dead" ? { status } : {}),
    ...(priority ? { priority } : {}),
    ...(experiment ? { experiment_id: experiment } : {}),
  };
}

function page(filter: JobFilter, cursor: string, limit: number): Promise<JobPage> {
  const paging = { limit, ...(cursor ? { cursor } : {}) };
  return filter.status === "dead"
    ? call(api.GET("/api/v1/jobs/dead", { params: { query: paging } }))
    : call(api.GET("/api/v1/jobs", { params: { query: { ...queryOf(filter), ...paging } } }));
}

export const queueQuery = queryOptions({
  queryKey: ["queue"],
  queryFn: () => call(api.GET("/api/v1/queue")),
  refetchInterval: 10_000,
});

export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: ["jobs", filter],
    queryFn: ({ pageParam }) => page(filter, pageParam, 50),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: 15_000, // events come first; this is for those that were lost
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: () => call(api.GET("/api/v1/jobs/{id}", { params: { path: { id } } })),
    staleTime: 0,
  });

/** Names of experiments, for the filter and for what a job belongs to. */
export const experimentNamesQuery = queryOptions({
  queryKey: ["experiments", "names"],
  queryFn: async () => (await call(api.GET("/api/v1/experiments", { params: { query: { limit: 200 } } }))).items,
  staleTime: 30_000,
});

/** All that fit, page after page. */
export async function gather(filter: JobFilter): Promise<Job[]> {
  const found: Job[] = [];
  let cursor: string | null | undefined = "";
  do {
    const next: JobPage = await page(filter, cursor, 200);
    found.push(...next.items);
    cursor = next.next_cursor;
  } while (cursor);
  return found;
}

export const cancelJob = (id: string): Promise<Job> =>
  call(api.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id } } }));
export const requeueJob = (id: string): Promise<Job> =>
  call(api.POST("/api/v1/jobs/{id}/requeue", { params: { path: { id } } }));
/** Off the list of those that failed for good. */
export const dismissJob = (id: string): Promise<void> =>
  call(api.DELETE("/api/v1/jobs/{id}", { params: { path: { id } } })).then(() => {});
export const setPriority = (id: string, priority: Priority): Promise<Job> =>
  call(api.PATCH("/api/v1/jobs/{id}", { params: { path: { id } }, body: { priority } }));

export const hasEnded = ({ status }: Pick<Job, "status">): boolean => !["queued", "running"].includes(status);
/** Waits, though not for its turn: a try failed, the next comes later. */
export const isDelayed = ({ status, run_after }: Pick<Job, "status" | "run_after">): boolean =>
  status === "queued" && Boolean(run_after);

/** Seconds that it was drawn, as far as they are known. */
export function secondsOf(job: Pick<Job, "started_at" | "finished_at">): number | undefined {
  if (!job.started_at || !job.finished_at) return undefined;
  return (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
}

/** The server's answer about one job, put into every list that shows it. */
export function showJob(client: QueryClient, job: Job): void {
  client.setQueriesData<InfiniteData<JobPage, string>>(
    { queryKey: ["jobs"] },
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((one) => ({ ...one, items: one.items.map((old) => (old.id === job.id ? job : old)) })),
      },
  );
  client.setQueryData(jobQuery(job.id).queryKey, job);
}

/** What one change moves beside its job: the numbers, and the places of the others. */
export function jobChanged(client: QueryClient, job: Job): void {
  showJob(client, job);
  for (const queryKey of [queueQuery.queryKey, ["job"]]) void client.invalidateQueries({ queryKey });
}
