// Asking for pictures, and for their end.
import { type InfiniteData, type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, asProblem, call, type Generation, type Schemas } from "@/api/client";
import { isEnded } from "@/api/live";
import { generationQuery, generationsQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { bodyOf } from "@/features/recipe/draft";
import { t } from "@/i18n";
import { sourceValue, useStudio } from "./store";
import type { DrawRequest } from "./vary";

/** The strip: newest first, of everybody's requests outside experiments. */
export const historyQuery = generationsQuery({ limit: 60 });

export function requestBody({ draft, count, start, mask }: DrawRequest): Schemas["GenerateRequest"] {
  const { strength, prompt = "", ...recipe } = bodyOf(draft);
  const init = sourceValue(start);
  return {
    prompt: prompt.trim(),
    ...recipe,
    ...(count > 1 ? { count } : {}),
    ...(init ? { init_image: init, ...(strength === undefined ? {} : { strength }) } : {}),
    ...(init && mask ? { mask: sourceValue(mask) } : {}),
  } as Schemas["GenerateRequest"];
}

/** New ones in front of the strip, without asking for it again. */
function prepend(client: QueryClient, made: Generation[]): void {
  const ids = new Set(made.map((one) => one.id));
  client.setQueryData<InfiniteData<Schemas["GenerationPage"], string>>(historyQuery.queryKey, (old) => {
    const [first, ...rest] = old?.pages ?? [];
    if (!old || !first) return old;
    const items = [...made].reverse().concat(first.items.filter((one) => !ids.has(one.id)));
    return { ...old, pages: [{ ...first, items }, ...rest] };
  });
}

export function useDraw() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: DrawRequest) => call(api.POST("/api/v1/generate", { body: requestBody(request) })),
    onSuccess: ({ generations }) => {
      for (const one of generations) client.setQueryData(generationQuery(one.id).queryKey, one);
      prepend(client, generations);
      useStudio.getState().set({ shown: generations.map((one) => one.id), selected: generations[0]?.id });
      if (generations.length > 0 && generations.every((one) => one.reused)) notify.info(t("generate.reused"));
    },
  });
}

/** Those of the shown ones that have not ended. */
export async function cancelAll(client: QueryClient, ids: string[]): Promise<void> {
  const waiting = ids.filter((id) => {
    const known = client.getQueryData(generationQuery(id).queryKey);
    return !known || !isEnded(known);
  });
  for (const id of waiting.reverse())
    try {
      const now = await call(api.POST("/api/v1/generations/{id}/cancel", { params: { path: { id } } }));
      client.setQueryData(generationQuery(id).queryKey, now);
    } catch (error) {
      notify.error(asProblem(error));
    }
}

export async function retry(client: QueryClient, id: string): Promise<void> {
  try {
    const now = await call(api.POST("/api/v1/generations/{id}/retry", { params: { path: { id } } }));
    client.setQueryData(generationQuery(id).queryKey, now);
  } catch (error) {
    notify.error(asProblem(error));
  }
}
