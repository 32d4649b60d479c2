// The cells of a run, page after page in the background, and what the server measures in them when that is wanted.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, call } from "@/api/client";
import { gridQuery } from "@/api/queries";
import { type GridPage, makeCube } from "./cube";
import { type Measured, nothingMeasured } from "./measures";

export function useGridData(id: string, run: number | undefined) {
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch, isPending } = useInfiniteQuery(
    gridQuery(id, run),
  );
  useEffect(() => {
    if (hasNextPage && !isFetching && !error) void fetchNextPage();
  }, [hasNextPage, isFetching, error, fetchNextPage]);
  const cube = useMemo(() => makeCube(data?.pages ?? []), [data]);
  return { cube, run: data?.pages[0]?.run, error, isPending, complete: !hasNextPage, refetch };
}

/** While a run goes on, a tenth more cells is worth measuring again; at its end, every change is. */
function stage(run: GridPage["run"] | undefined): number {
  if (!run) return 0;
  const tenth = Math.max(20, Math.ceil(run.total / 10));
  return run.status === "running" ? Math.floor(run.completed / tenth) : run.completed + 1_000_000;
}

export function useMeasured(id: string, number: number | undefined, run: GridPage["run"] | undefined, wanted: boolean) {
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ["grid-measures", id, run?.id, stage(run)],
    queryFn: ({ pageParam }) => {
      const query = { limit: 500, measures: true, ...(number ? { run: number } : {}) };
      return call(
        api.GET("/api/v1/experiments/{id}/grid", {
          params: { path: { id }, query: pageParam ? { ...query, cursor: pageParam } : query },
        }),
      );
    },
    select: (pages): Measured =>
      new Map(pages.pages.flatMap((page) => page.items.map((one) => [one.id, one.measures ?? {}] as const))),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: wanted && run !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && !error) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, error, fetchNextPage]);
  return { measured: data ?? nothingMeasured, error: wanted ? error : null, busy: wanted && isFetching, refetch };
}
