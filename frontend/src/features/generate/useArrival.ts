// What an address brings to the page: ?from=ID fills the form with that picture's recipe, ?start=ID makes it the start
// image. Taken once, then gone from the address: what is written afterwards must survive a reload.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSearchParams } from "react-router";
import { generationQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { draftOf } from "@/features/recipe/draft";
import { useStudio } from "./store";

export function useArrival(): void {
  const client = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const set = useStudio((studio) => studio.set);
  const from = search.get("from");
  const start = search.get("start");
  useEffect(() => {
    if (!from && !start) return;
    if (start) set({ start: { kind: "generation", id: start } });
    const id = from ?? start;
    if (id)
      client.fetchQuery(generationQuery(id)).then((generation) => {
        const { prompt } = useStudio.getState().draft;
        if (from) set({ draft: draftOf(generation.parameters), shown: [id], selected: id });
        else if (!prompt) set({ draft: draftOf({ ...generation.parameters, seed: undefined }) });
      }, notify.error);
    setSearch(
      (old) => {
        const rest = new URLSearchParams(old);
        rest.delete("from");
        rest.delete("start");
        return rest;
      },
      { replace: true },
    );
  }, [from, start, client, set, setSearch]);
}

/** The picture whose seed the lock takes. */
export function useShown() {
  const id = useStudio(({ selected, shown }) => selected ?? shown[0]);
  return useQuery({ ...generationQuery(id ?? ""), enabled: id !== undefined, retry: false }).data;
}
