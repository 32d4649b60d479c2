// Models and the long work on them (downloads, checks), as the server tells it.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, call, type Model, type Schemas } from "@/api/client";
import { formatBytes, formatSeconds, t } from "@/i18n";

export type ModelTask = Schemas["ModelTask"];
type TaskList = Schemas["ModelTaskList"];

export const tasksQuery = queryOptions({
  queryKey: ["model-tasks"],
  queryFn: () => call(api.GET("/api/v1/model-tasks")),
  // Events come first; while something goes on this is for those that were lost.
  refetchInterval: ({ state }) => (state.data?.items.some(isRunning) ? 5000 : false),
  retry: false,
});

export const isRunning = ({ status }: Pick<ModelTask, "status">): boolean => status === "running";

/** A task's news: in its place, or first when it is new. An older word never replaces the end of it. */
export function withTask(list: TaskList | undefined, task: ModelTask): TaskList {
  const items = list?.items ?? [];
  const old = items.find((one) => one.id === task.id);
  if (!old) return { items: [task, ...items] };
  if (!isRunning(old) && isRunning(task)) return { items };
  return { items: items.map((one) => (one === old ? task : one)) };
}

export function showTask(client: QueryClient, task: ModelTask): void {
  client.setQueryData(tasksQuery.queryKey, (list) => withTask(list, task));
}

export interface PullWish {
  model: string;
  revision?: string;
  variant?: string;
}

export const pull = (wish: PullWish): Promise<ModelTask> =>
  call(api.POST("/api/v1/model-tasks", { body: { kind: "pull", ...wish } }));
export const verify = (model: string): Promise<ModelTask> =>
  call(api.POST("/api/v1/model-tasks", { body: { kind: "verify", model } }));
export const stopTask = (id: string): Promise<ModelTask> =>
  call(api.POST("/api/v1/model-tasks/{id}/cancel", { params: { path: { id } } }));

/** "owner/name", also out of the address of a page of the hub. */
export function repositoryOf(text: string): string | undefined {
  const path = text
    .trim()
    .replace(/^https?:\/\/[^/]+\//, "")
    .split(/[?#]/)[0];
  const [owner, name] = (path ?? "").split("/").filter(Boolean);
  const word = /^[\w.-]+$/;
  return owner && name && word.test(owner) && word.test(name) ? `${owner}/${name}` : undefined;
}

/** 0 to 1; undefined when the whole is not known yet. */
export function shareOf({ done, total }: Pick<ModelTask, "done" | "total">): number | undefined {
  return total ? Math.min(1, done / total) : undefined;
}

/** "1.2 GB of 4.3 GB · 24 MB a second · 2 min 5 s left" */
export function progressText(task: ModelTask): string {
  const parts = [
    task.total
      ? t("models.ofTotal", { done: formatBytes(task.done), total: formatBytes(task.total) })
      : formatBytes(task.done),
  ];
  if (isRunning(task) && task.bytes_per_second)
    parts.push(t("models.rate", { rate: formatBytes(task.bytes_per_second) }));
  if (isRunning(task) && task.eta_seconds != null)
    parts.push(t("models.left", { time: formatSeconds(task.eta_seconds) }));
  return parts.join(" · ");
}

export const taskName = (task: Pick<ModelTask, "kind" | "model">): string =>
  t(`models.kind.${task.kind}`, { model: task.model });

export function matching(models: Model[], words: string): Model[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const text = `${model.name} ${model.architecture ?? ""} ${model.provider}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** Defaults that are one value each; lists (samplers) are shown apart. */
export function defaultsOf(model: Model): [string, string][] {
  return Object.entries(model.defaults ?? {}).flatMap(([name, value]): [string, string][] =>
    ["string", "number", "boolean"].includes(typeof value) ? [[name, String(value)]] : [],
  );
}

export function samplersOf(model: Model): string[] {
  const list = model.defaults?.samplers;
  return Array.isArray(list) ? list.map(String) : [];
}
