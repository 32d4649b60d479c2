// Tasks as the server tells them: queries, what can be done with one, numbers in words.
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import { formatBytes, formatNumber, formatSeconds, t } from "@/i18n";

export type Task = Schemas["Task"];
export type TaskRecord = Schemas["TaskRecord"];
export type TaskCheck = Schemas["TaskCheck"];
export type RecordStatus = Schemas["TaskRecordStatus"];
export type ErrorClass = Schemas["TaskErrorClass"];

export const isRunning = ({ status }: Pick<Task, "status">): boolean => status === "running";
/** The sample is chosen, drawn or looked at: no record of the dataset itself is on its way. */
export const isSampling = ({ status, phase }: Pick<Task, "status" | "phase">): boolean =>
  status === "awaiting_approval" || phase === "sample" || phase === "canary";
export const hasEnded = ({ status }: Pick<Task, "status">): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

const cursorOf = (last: { next_cursor: string | null }) => last.next_cursor ?? undefined;
const after = (cursor: string) => (cursor ? { cursor } : {});

export const tasksQuery = infiniteQueryOptions({
  queryKey: ["tasks"],
  queryFn: ({ pageParam }) => call(api.GET("/api/v1/tasks", { params: { query: { limit: 50, ...after(pageParam) } } })),
  initialPageParam: "",
  getNextPageParam: cursorOf,
});

const moves = (task: Task | undefined): boolean =>
  task !== undefined && (!hasEnded(task) || task.callbacks.waiting > 0);

/** Events come first; while something goes on, asking is for those that were lost, and for callbacks, which have none. */
export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: () => call(api.GET("/api/v1/tasks/{id}", { params: { path: { id } } })),
    refetchInterval: ({ state }) => (moves(state.data) ? 3000 : false),
  });

export interface RecordFilter {
  status?: RecordStatus;
  class?: ErrorClass;
  record_id?: string;
}

export const recordsQuery = (id: string, filter: RecordFilter) =>
  infiniteQueryOptions({
    queryKey: ["task-records", id, filter],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/tasks/{id}/records", {
          params: { path: { id }, query: { limit: 50, ...filter, ...after(pageParam) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: cursorOf,
  });

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ["task-report", id],
    queryFn: () => call(api.GET("/api/v1/tasks/{id}/report", { params: { path: { id } } })),
  });

export const callbacksQuery = (id: string, status?: Schemas["CallbackStatus"]) =>
  infiniteQueryOptions({
    queryKey: ["task-callbacks", id, status ?? ""],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/tasks/{id}/callbacks", {
          params: { path: { id }, query: { limit: 50, ...(status ? { status } : {}), ...after(pageParam) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: cursorOf,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((one) => one.status === "waiting")) ? 3000 : false,
  });

export type Action = "pause" | "resume" | "cancel" | "run";
const path = (id: string) => ({ params: { path: { id } } });
export const act: Record<Action, (id: string) => Promise<Task>> = {
  pause: (id) => call(api.POST("/api/v1/tasks/{id}/pause", path(id))),
  resume: (id) => call(api.POST("/api/v1/tasks/{id}/resume", path(id))),
  cancel: (id) => call(api.POST("/api/v1/tasks/{id}/cancel", path(id))),
  run: (id) => call(api.POST("/api/v1/tasks/{id}/run", path(id))),
};
export const approve = (id: string, approved: boolean): Promise<Task> =>
  call(api.POST("/api/v1/tasks/{id}/approve", { ...path(id), body: { approved } }));
export const retry = (id: string, classes?: ErrorClass[]): Promise<Task> =>
  call(api.POST("/api/v1/tasks/{id}/retry", { ...path(id), body: classes ? { classes } : {} }));
export const forget = (id: string): Promise<unknown> => call(api.DELETE("/api/v1/tasks/{id}", path(id)));
export const replay = (id: string, event?: string): Promise<{ count: number }> =>
  call(
    api.POST("/api/v1/tasks/{id}/callbacks/replay", {
      ...path(id),
      body: event ? { id: event, status: "all" } : { status: "dead" },
    }),
  );

/** What a task in this state can be told to do. */
export function possible(task: Task): Action[] {
  if (task.status === "running") return ["pause", "cancel"];
  if (task.status === "paused") return ["resume", "cancel"];
  if (task.status === "awaiting_approval") return [];
  return ["run"];
}

/** In its own place and in the list; everything below it is asked again. */
export function showTask(client: QueryClient, task: Task): void {
  client.setQueryData(taskQuery(task.id).queryKey, task);
  client.setQueryData(tasksQuery.queryKey, (old) =>
    old
      ? {
          ...old,
          pages: old.pages.map((page) => ({
            ...page,
            items: page.items.map((one) => (one.id === task.id ? task : one)),
          })),
        }
      : old,
  );
}

export function askAgain(client: QueryClient, id: string): void {
  for (const kind of ["task-records", "task-report", "task-callbacks"])
    void client.invalidateQueries({ queryKey: [kind, id] });
}

/** Works that have ended, and how many there will be as far as that is known. */
export function amounts({ counts, read, read_all, source_records }: Task): { done: number; total?: number } {
  const done = counts.succeeded + counts.failed + counts.cancelled;
  if (read_all) return { done, total: read };
  return source_records == null ? { done } : { done, total: Math.max(read, source_records) };
}

/** Small sums keep two digits that count. */
export function money(amount: number, currency: string | null | undefined): string {
  const text = amount > 0 && amount < 0.1 ? String(Number(amount.toPrecision(2))) : formatNumber(amount);
  return currency ? `${text} ${currency}` : text;
}

/** "120 of 1,000 · 3.2 a second · 4 min 35 s left · 2 failed" */
export function progressText(task: Task): string {
  const { done, total } = amounts(task);
  const { cost, cost_expected, currency } = task;
  const parts = [total === undefined ? t("tasks.doneSoFar", { n: done }) : t("tasks.done", { done, total })];
  if (isRunning(task) && task.per_second) parts.push(t("tasks.rate", { n: task.per_second }));
  if (isRunning(task) && task.eta_seconds != null)
    parts.push(t("tasks.left", { time: formatSeconds(task.eta_seconds) }));
  if (task.counts.failed) parts.push(t("tasks.failedCount", { n: task.counts.failed }));
  if (cost != null)
    parts.push(
      cost_expected != null && !hasEnded(task)
        ? t("tasks.costOf", { cost: money(cost, currency), expected: money(cost_expected, currency) })
        : t("tasks.cost", { cost: money(cost, currency) }),
    );
  return parts.join(" · ");
}

export function estimateText({ seconds, bytes, cost }: TaskCheck): string {
  if (seconds == null) return t("tasks.checkNoEstimate");
  const values = { time: formatSeconds(seconds), bytes: formatBytes(bytes ?? 0) };
  return cost == null
    ? t("tasks.checkEstimate", values)
    : t("tasks.checkEstimateCost", { ...values, cost: money(cost, undefined) });
}

/** The text of a member of the document, of an object in it: `textAt(document, "source", "path")`. */
export function textAt(document: unknown, ...names: string[]): string | undefined {
  let node = document;
  for (const name of names) node = (node as Record<string, unknown> | undefined)?.[name];
  return typeof node === "string" ? node : undefined;
}

/** Where its records come from, in one line. */
export function sourceText(document: unknown): string {
  const at = (name: string) => textAt(document, "source", name);
  const place = at("path") ?? [at("connection"), at("database"), at("collection")].filter(Boolean).join(" / ");
  return [at("type"), place].filter(Boolean).join(": ");
}
