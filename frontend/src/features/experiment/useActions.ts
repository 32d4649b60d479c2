// What can be done with an experiment, and what the caches say afterwards.
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api, call, type Experiment, type Schemas } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { type GridPages, reopen } from "./merge";

export type Action = "start" | "pause" | "resume" | "cancel" | "retry";

const path = (id: string) => ({ params: { path: { id } } });
const doing: Record<Action, (id: string) => Promise<Experiment>> = {
  start: (id) => call(api.POST("/api/v1/experiments/{id}/start", path(id))),
  pause: (id) => call(api.POST("/api/v1/experiments/{id}/pause", path(id))),
  resume: (id) => call(api.POST("/api/v1/experiments/{id}/resume", path(id))),
  cancel: (id) => call(api.POST("/api/v1/experiments/{id}/cancel", path(id))),
  retry: (id) => call(api.POST("/api/v1/experiments/{id}/retry", path(id))),
};

/** What an experiment in this state can be told to do. */
export function possible(experiment: Experiment): Set<Action> {
  const { status, run } = experiment;
  const found = new Set<Action>();
  if (status === "running") found.add("pause").add("cancel");
  else if (status === "paused") found.add("resume").add("cancel");
  else found.add("start");
  if (run && status !== "running" && status !== "paused" && run.failed + run.cancelled > 0) found.add("retry");
  return found;
}

function accept(client: QueryClient, experiment: Experiment): void {
  const key = experimentQuery(experiment.id).queryKey;
  const before = client.getQueryData(key);
  client.setQueryData(key, experiment);
  void client.invalidateQueries({ queryKey: ["experiments"] });
  // A new run, or an extension of this one: its cells are others.
  if (before?.run?.id === experiment.run?.id && before?.run?.total === experiment.run?.total) return;
  for (const kind of ["grid", "runs", "analysis"]) void client.invalidateQueries({ queryKey: [kind, experiment.id] });
}

export function useAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: Action) => doing[action](id),
    onSuccess: (experiment, action) => {
      accept(client, experiment);
      if (action === "retry")
        client.setQueriesData<GridPages>({ queryKey: ["grid", id] }, (old) => old && reopen(old, experiment.run?.id));
      if (action === "cancel") {
        void client.invalidateQueries({ queryKey: ["grid", id] });
        notify.undo(t("monitor.cancelled"), async () => {
          accept(client, await doing.retry(id));
          void client.invalidateQueries({ queryKey: ["grid", id] });
        });
      }
    },
    onError: (error) => {
      notify.error(error);
      void client.invalidateQueries({ queryKey: experimentQuery(id).queryKey });
    },
  });
}

export function useRename(id: string) {
  const client = useQueryClient();
  const key = experimentQuery(id).queryKey;
  return useMutation({
    mutationFn: (name: string) => call(api.PATCH("/api/v1/experiments/{id}", { ...path(id), body: { name } })),
    onMutate: (name) => {
      const before = client.getQueryData(key);
      if (before) client.setQueryData(key, { ...before, name });
      return before?.name;
    },
    onSuccess: (experiment) => accept(client, experiment),
    onError: (error, _, before) => {
      client.setQueryData(key, (now) => (now && before !== undefined ? { ...now, name: before } : now));
      notify.error(error);
    },
  });
}

export function useClone(id: string) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => call(api.POST("/api/v1/experiments/{id}/clone", path(id))),
    onSuccess: (copy) => {
      notify.done(t("monitor.cloned", { name: copy.name }));
      navigate(`/experiments/${copy.id}/edit`);
    },
    onError: (error) => notify.error(error),
  });
}

export function useExtend(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["ExperimentExtension"]) =>
      call(api.POST("/api/v1/experiments/{id}/extend", { ...path(id), body })),
    onSuccess: (experiment) => accept(client, experiment),
  });
}

/** Gone from the lists at once; the message has the way back. */
export function useDelete(experiment: Pick<Experiment, "id" | "name">) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { id, name } = experiment;
  return useMutation({
    mutationFn: (generations: boolean) =>
      call(api.DELETE("/api/v1/experiments/{id}", { params: { path: { id }, query: { generations } } })),
    onSuccess: () => {
      navigate("/experiments");
      void client.invalidateQueries({ queryKey: ["experiments"] });
      notify.undo(t("monitor.deleted", { name }), async () => {
        await call(api.POST("/api/v1/experiments/{id}/restore", path(id)));
        void client.invalidateQueries({ queryKey: ["experiments"] });
        await client.invalidateQueries({ queryKey: experimentQuery(id).queryKey });
        navigate(`/experiments/${id}`);
      });
    },
    onError: (error) => notify.error(error),
  });
}
