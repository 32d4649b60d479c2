// The experiment that the address names and the run of it that is looked at: `?run=2`; absent: the newest.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useParams, useSearchParams } from "react-router";
import type { Generation, Run } from "@/api/client";
import { experimentQuery, gridQuery } from "@/api/queries";
import { runsQuery } from "./queries";

export function useExperiment() {
  const { id = "" } = useParams();
  const [search] = useSearchParams();
  const asked = Number(search.get("run")) || undefined;
  const query = useQuery({ ...experimentQuery(id), enabled: id !== "" });
  const newest = query.data?.run ?? undefined;
  const number = asked === newest?.number ? undefined : asked;
  const runs = useQuery({ ...runsQuery(id), enabled: number !== undefined });
  const run: Run | undefined = number ? runs.data?.items.find((one) => one.number === number) : newest;
  return { id, number, run, experiment: query.data, error: query.error, refetch: query.refetch };
}

/** All cells of a run; pages follow each other by themselves. */
export function useCells(id: string, number: number | undefined, enabled = true) {
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = useInfiniteQuery({
    ...gridQuery(id, number),
    enabled: enabled && id !== "",
  });
  useEffect(() => {
    if (enabled && hasNextPage && !isFetching && !error) void fetchNextPage();
  }, [enabled, hasNextPage, isFetching, error, fetchNextPage]);
  const cells = useMemo<Generation[]>(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const first = data?.pages[0];
  return { cells, axes: first?.axes ?? [], replicates: first?.replicates ?? 1, error, refetch, complete: !hasNextPage };
}
