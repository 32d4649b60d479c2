// Live state of one generation, for whoever shows it being drawn.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useSettings } from "@/store/settings";
import type { Generation } from "./client";
import { findCached, generationQuery } from "./queries";
import { listen } from "./socket";

const ended = new Set<Generation["status"]>(["succeeded", "failed", "cancelled", "impossible"]);
export const isEnded = (generation: Pick<Generation, "status">): boolean => ended.has(generation.status);

interface Step {
  step: number;
  steps: number;
  /** Object URL of the newest preview. */
  preview?: string;
}

/** The generation, and its steps while it is drawn. Events drive it; a slow poll catches what they lost. */
export function useGeneration(id: string | undefined, initial?: Generation) {
  const client = useQueryClient();
  const previews = useSettings((settings) => settings.previews);
  const [step, setStep] = useState<Step>();
  const query = useQuery({
    ...generationQuery(id ?? ""),
    enabled: id !== undefined,
    initialData: () => initial ?? (id === undefined ? undefined : findCached(client, id)),
    // One that was found somewhere may be old: it is asked for again.
    initialDataUpdatedAt: initial ? undefined : 0,
    refetchInterval: ({ state }) => (state.data && isEnded(state.data) ? false : 5000),
  });
  const waiting = id !== undefined && !(query.data && isEnded(query.data));
  useEffect(() => {
    if (!id || !waiting) return;
    let url: string | undefined;
    const stop = listen(
      [`generation:${id}`],
      {
        [`generation:${id}:progress`]: (event: { step: number; steps: number; preview?: ArrayBuffer }) => {
          const old = url;
          if (event.preview && previews) url = URL.createObjectURL(new Blob([event.preview], { type: "image/jpeg" }));
          setStep({ step: event.step, steps: event.steps, preview: url });
          if (old && old !== url) setTimeout(() => URL.revokeObjectURL(old), 1000);
        },
        [`generation:${id}:done`]: (generation: Generation) =>
          client.setQueryData(generationQuery(id).queryKey, generation),
      },
      () => void client.invalidateQueries({ queryKey: generationQuery(id).queryKey }),
    );
    return () => {
      stop();
      if (url) URL.revokeObjectURL(url);
      setStep(undefined);
    };
  }, [id, waiting, previews, client]);
  return { ...query, step: waiting ? step : undefined };
}
