// What people do to pictures, wherever they see them: rate, mark, tag, delete. Every cache that holds the picture shows
// the change at once and goes back when the server refuses it; without a connection the change waits in the outbox.
//
//   const change = useChange();
//   change(generation, { rating: 4 });
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { send } from "@/pwa/outbox";
import { api, call, type Generation } from "./client";
import { generationQuery } from "./queries";

export type Change = { rating?: number | null; favourite?: boolean; tags?: string[] };
type Pages = InfiniteData<{ items: Generation[] }, string>;

/** Lists of generations, of any filter, and grids. */
const lists = ["generations", "grid"] as const;

function mapLists(client: QueryClient, map: (items: Generation[]) => Generation[]): void {
  for (const kind of lists)
    client.setQueriesData<Pages>({ queryKey: [kind] }, (old) => {
      if (!old?.pages) return old;
      const pages = old.pages.map((page) => {
        const items = map(page.items);
        return items === page.items ? page : { ...page, items };
      });
      return pages.every((page, index) => page === old.pages[index]) ? old : { ...old, pages };
    });
}

/** The pictures as `edit` leaves them, in every cache. */
export function editCached(
  client: QueryClient,
  ids: ReadonlySet<string>,
  edit: (generation: Generation) => Generation,
): void {
  for (const id of ids) client.setQueryData(generationQuery(id).queryKey, (old) => old && edit(old));
  mapLists(client, (items) =>
    items.some((one) => ids.has(one.id)) ? items.map((one) => (ids.has(one.id) ? edit(one) : one)) : items,
  );
}

/** Out of the lists of pictures; a grid keeps its cell. */
export function dropCached(client: QueryClient, ids: ReadonlySet<string>): void {
  client.setQueriesData<Pages>({ queryKey: ["generations"] }, (old) =>
    old?.pages
      ? { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.filter((one) => !ids.has(one.id)) })) }
      : old,
  );
}

const without = (change: Change, from: Generation): Change =>
  Object.fromEntries(Object.keys(change).map((key) => [key, from[key as keyof Change]]));

export async function changeGeneration(client: QueryClient, generation: Generation, change: Change): Promise<void> {
  const ids = new Set([generation.id]);
  editCached(client, ids, (one) => ({ ...one, ...change }));
  try {
    await send({ method: "PATCH", path: `/api/v1/generations/${generation.id}`, body: change });
  } catch (error) {
    editCached(client, ids, (one) => ({ ...one, ...without(change, generation) }));
    notify.error(error, t("common.problem.title"));
  }
}

export function useChange() {
  const client = useQueryClient();
  return useCallback(
    (generation: Generation, change: Change) => void changeGeneration(client, generation, change),
    [client],
  );
}

/** Delete one, with undo. Resolves when it is gone; refused: it is back, and the reason is shown. */
export async function deleteGeneration(client: QueryClient, id: string, said: string): Promise<boolean> {
  const path = { params: { path: { id } } };
  try {
    await call(api.DELETE("/api/v1/generations/{id}", path));
  } catch (error) {
    notify.error(error);
    return false;
  }
  dropCached(client, new Set([id]));
  notify.undo(said, async () => {
    await call(api.POST("/api/v1/generations/{id}/restore", path));
    await client.invalidateQueries({ queryKey: ["generations"] });
    await client.invalidateQueries({ queryKey: generationQuery(id).queryKey });
  });
  return true;
}
