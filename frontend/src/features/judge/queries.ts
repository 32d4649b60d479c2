import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const scoresQuery = (id: string, by: "all" | "me") =>
  queryOptions({
    queryKey: ["scores", id, by],
    queryFn: () => call(api.GET("/api/v1/experiments/{id}/scores", { params: { path: { id }, query: { by } } })),
    staleTime: 0,
  });

/** Experiments, the newest first; those with nothing drawn are left out where they are shown. */
export const judgeableQuery = infiniteQueryOptions({
  queryKey: ["experiments", "judge"],
  queryFn: ({ pageParam }) =>
    call(
      api.GET("/api/v1/experiments", { params: { query: { limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } } }),
    ),
  initialPageParam: "",
  getNextPageParam: (last) => last.next_cursor ?? undefined,
});
