// What can be done with an experiment in the list.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call, type Experiment, saveBlob } from "@/api/client";
import { notify } from "@/components/notify";
import { fileName } from "@/features/builder/fileName";
import { t } from "@/i18n";
import { editListed } from "./queries";

export function useDelete() {
  const client = useQueryClient();
  const again = () => void client.invalidateQueries({ queryKey: ["experiments"] });
  const restore = async ({ id, name }: Experiment) => {
    await call(api.POST("/api/v1/experiments/{id}/restore", { params: { path: { id } } }));
    again();
    notify.done(t("experiments.restored", { name }));
  };
  return useMutation({
    mutationFn: ({ id }: Experiment) => call(api.DELETE("/api/v1/experiments/{id}", { params: { path: { id } } })),
    onMutate: async ({ id }) => {
      await client.cancelQueries({ queryKey: ["experiments"] });
      const before = client.getQueriesData({ queryKey: ["experiments"] });
      editListed(client, id, () => undefined);
      return before;
    },
    onSuccess: (_, experiment) =>
      notify.undo(t("experiments.deleted", { name: experiment.name }), () => restore(experiment)),
    onError: (error, _, before) => {
      for (const [key, data] of before ?? []) client.setQueryData(key, data);
      notify.error(error);
    },
    onSettled: again,
  });
}

/** The spec as the server wrote it: text, so that large seeds stay what they are. */
export async function exportExperiment({ id, name }: Experiment): Promise<void> {
  try {
    const text = await call(api.GET("/api/v1/experiments/{id}/spec", { params: { path: { id } }, parseAs: "text" }));
    saveBlob(new Blob([String(text)], { type: "application/json" }), fileName(name));
  } catch (error) {
    notify.error(error);
  }
}
