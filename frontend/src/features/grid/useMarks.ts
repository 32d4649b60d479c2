// Ratings and favourites from the grid: shown at once, sent (also later, without a connection), taken back when the
// server refuses.
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { Generation } from "@/api/client";
import { generationQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { send } from "@/pwa/outbox";
import type { GridPage } from "./cube";

export type Change = Partial<Pick<Generation, "rating" | "favourite">>;
type Pages = InfiniteData<GridPage, string>;

/** The pages with one cell changed; all other cells stay the same objects. */
export function withChange(pages: Pages, id: string, change: Change): Pages {
  const found = pages.pages.findIndex((page) => page.items.some((one) => one.id === id));
  const page = pages.pages[found];
  if (!page) return pages;
  const items = page.items.map((one) => (one.id === id ? { ...one, ...change } : one));
  return { ...pages, pages: pages.pages.with(found, { ...page, items }) };
}

export function useMarks(experiment: string): (generation: Generation, change: Change) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (generation, change) => {
      const { id } = generation;
      const show = (what: Change) => {
        client.setQueriesData<Pages>({ queryKey: ["grid", experiment] }, (old) => old && withChange(old, id, what));
        client.setQueryData(generationQuery(id).queryKey, (old) => old && { ...old, ...what });
      };
      show(change);
      try {
        await send({ method: "PATCH", path: `/api/v1/generations/${id}`, body: change });
        void client.invalidateQueries({ queryKey: ["generations"], refetchType: "none" });
      } catch (error) {
        const before: Change = {};
        if ("rating" in change) before.rating = generation.rating;
        if ("favourite" in change) before.favourite = generation.favourite;
        show(before);
        notify.error(error, t("grid.rateFailed"));
      }
    },
    [client, experiment],
  );
}
