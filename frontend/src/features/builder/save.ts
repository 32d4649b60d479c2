// Drafts and starts: what is sent to the server, and what follows when it agrees.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, call, type Experiment, type ExperimentSpec } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { type BuilderStore, forgetDraft, isDirty, written } from "./store";

/** The store goes along to the draft's own address, so that undo outlives the first save. */
export const handedOver = new Map<string, BuilderStore>();

function contentOf(store: BuilderStore): { name?: string; spec: ExperimentSpec } {
  const { form } = store.getState();
  const name = form.name.trim();
  return { ...(name ? { name } : {}), spec: written(form).spec as unknown as ExperimentSpec };
}

async function storeDraft(store: BuilderStore, id: string | undefined): Promise<Experiment> {
  const content = contentOf(store);
  if (!id) return call(api.POST("/api/v1/experiments", { body: { ...content, start: false, priority: "batch" } }));
  return call(api.PATCH("/api/v1/experiments/{id}", { params: { path: { id } }, body: content }));
}

async function startStored(store: BuilderStore, id: string | undefined): Promise<Experiment> {
  if (!id)
    return call(api.POST("/api/v1/experiments", { body: { ...contentOf(store), start: true, priority: "batch" } }));
  if (isDirty(store.getState())) await storeDraft(store, id);
  const path = { params: { path: { id } } };
  return call(api.POST("/api/v1/experiments/{id}/start", { ...path, body: { priority: "batch" } }));
}

export function useSave(store: BuilderStore, id: string | undefined, draftKey: string) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [busy, setBusy] = useState<"save" | "start">();
  /** True when it is on the server. */
  const run = async (what: "save" | "start", action: typeof storeDraft, then: (made: Experiment) => void) => {
    if (busy) return false;
    setBusy(what);
    try {
      const made = await action(store, id);
      store.getState().markSaved();
      forgetDraft(draftKey);
      client.setQueryData(experimentQuery(made.id).queryKey, made);
      void client.invalidateQueries({ queryKey: ["experiments"] });
      then(made);
      return true;
    } catch (error) {
      notify.error(error);
      return false;
    } finally {
      setBusy(undefined);
    }
  };
  return {
    busy,
    save: (stay = true) =>
      run("save", storeDraft, (made) => {
        notify.done(t("builder.actions.saved"));
        if (id || !stay) return;
        handedOver.set(made.id, store);
        navigate(`/experiments/${made.id}/edit`, { replace: true });
      }),
    start: () =>
      run("start", startStored, (made) => {
        notify.done(t("builder.actions.started"));
        navigate(`/experiments/${made.id}`);
      }),
  };
}
