// The list of experiments, and how events and actions change what is cached of it.
import { type InfiniteData, infiniteQueryOptions, type QueryClient } from "@tanstack/react-query";
import { api, call, type Experiment, type Schemas } from "@/api/client";
import type { operations } from "@/api/types";

type Query = NonNullable<operations["list_experiments"]["parameters"]["query"]>;
export type Filter = Pick<Query, "type" | "status" | "q">;
export type ProgressEvent = Schemas["ExperimentProgress"];
type Pages = InfiniteData<Schemas["ExperimentPage"], string>;

export const types = ["convergence", "cfg", "parameter_sweep"] as const;
export const statuses = ["draft", "running", "paused", "completed", "failed", "cancelled"] as const;

/** Of the address; what it does not know is left out. */
export function filterOf(search: URLSearchParams): Filter {
  const type = types.find((one) => one === search.get("type"));
  const status = statuses.find((one) => one === search.get("status"));
  const q = search.get("q")?.trim().slice(0, 200);
  return { ...(type ? { type } : {}), ...(status ? { status } : {}), ...(q ? { q } : {}) };
}

export const experimentsQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ["experiments", filter],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/experiments", {
          params: { query: { ...filter, limit: 30, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

/** An experiment in every cached list, changed; undefined: taken out. */
export function editListed(
  client: QueryClient,
  id: string,
  edit: (experiment: Experiment) => Experiment | undefined,
): void {
  client.setQueriesData<Pages>({ queryKey: ["experiments"] }, (old) => {
    if (!old?.pages?.some((page) => page.items.some((one) => one.id === id))) return old;
    const pages = old.pages.map((page) => ({
      ...page,
      items: page.items.flatMap((one) => (one.id === id ? (edit(one) ?? []) : [one])),
    }));
    return { ...old, pages };
  });
}

/** What an event says of the newest run. Of a run that the list does not know yet, nothing: the list is asked again. */
export function withProgress(experiment: Experiment, event: ProgressEvent): Experiment {
  if (experiment.run?.id !== event.run_id) return experiment;
  const { status, total, completed, failed, cancelled, impossible, eta_seconds } = event;
  const run = { ...experiment.run, status, total, completed, failed, cancelled, impossible, eta_seconds };
  return { ...experiment, status, run };
}

/** Cells that have ended, well or not. */
export const ended = ({ completed, failed, cancelled, impossible }: Schemas["Run"]): number =>
  completed + failed + cancelled + impossible;
