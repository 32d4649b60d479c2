// Keeps queue, lists and open details with the server while the page is shown.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Schemas } from "@/api/client";
import { listen } from "@/api/socket";
import { queueQuery } from "./jobs";

/** Lists are asked again at most this often, however busy the queue is. */
const pause = 1500;

export function useQueueLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let due = false;
    const refresh = () => {
      due = timer !== undefined;
      if (due) return;
      for (const queryKey of [["jobs"], ["job"]]) void client.invalidateQueries({ queryKey }, { cancelRefetch: false });
      timer = setTimeout(() => {
        timer = undefined;
        if (due) refresh();
      }, pause);
    };
    const stop = listen(
      ["queue"],
      {
        "queue:changed": (queue: Schemas["Queue"]) => {
          client.setQueryData(queueQuery.queryKey, queue);
          refresh();
        },
      },
      () => {
        void client.invalidateQueries({ queryKey: queueQuery.queryKey });
        refresh();
      },
    );
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [client]);
}
