// Opens the detail view of a picture over whatever page is shown: `?view=id` in the address, so that it can be shared,
// reloaded, and left with the browser's back button.
//
//   const detail = useDetail();
//   detail.open(id, ids);   // ids: the sequence that the arrow keys walk through
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { create } from "zustand";

export const useSequence = create<{ ids: string[] }>(() => ({ ids: [] }));

export function useDetail() {
  const [search, setSearch] = useSearchParams();
  const view = search.get("view");
  const open = useCallback(
    (id: string, ids?: string[]) => {
      if (ids) useSequence.setState({ ids });
      setSearch(
        (old) => {
          const replaced = new URLSearchParams(old);
          replaced.set("view", id);
          return replaced;
        },
        { replace: view !== null, preventScrollReset: true },
      );
    },
    [setSearch, view],
  );
  const close = useCallback(
    () =>
      setSearch(
        (old) => {
          const replaced = new URLSearchParams(old);
          replaced.delete("view");
          return replaced;
        },
        { replace: true, preventScrollReset: true },
      ),
    [setSearch],
  );
  return useMemo(() => ({ view, open, close }), [view, open, close]);
}
