// The runs of the experiments on the page, as they go on. Events of one's own experiments come without asking for a room;
// those of others are caught by the slow poll of the list.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Experiment } from "@/api/client";
import { listen } from "@/api/socket";
import { editListed, type ProgressEvent, withProgress } from "./queries";

/** Id of an experiment to the address of the picture that was drawn last. */
export type Latest = Record<string, string>;

export function useLive(experiments: Experiment[]): Latest {
  const client = useQueryClient();
  const [latest, setLatest] = useState<Latest>({});
  const ids = experiments.map((one) => one.id).join(" ");
  useEffect(() => {
    if (!ids) return;
    const seen = (event: ProgressEvent) => {
      const id = event.experiment_id;
      editListed(client, id, (one) => withProgress(one, event));
      const url = event.latest_image?.thumbnail_url;
      if (url) setLatest((old) => ({ ...old, [id]: url.split("?")[0] ?? url }));
      if (event.status !== "running" && event.status !== "paused") {
        void client.invalidateQueries({
          queryKey: ["generations"],
          predicate: ({ queryKey }) => ofExperiment(queryKey, id),
        });
        void client.invalidateQueries({ queryKey: ["experiments"] });
      }
    };
    const handlers = Object.fromEntries(ids.split(" ").map((id) => [`experiment:${id}:progress`, seen]));
    return listen([], handlers, () => void client.invalidateQueries({ queryKey: ["experiments"] }));
  }, [ids, client]);
  return latest;
}

function ofExperiment(key: readonly unknown[], id: string): boolean {
  const filter = key[1];
  return typeof filter === "object" && filter !== null && "experiment_id" in filter && filter.experiment_id === id;
}
