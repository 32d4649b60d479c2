// Queries that more than one page asks; each is the one owner of its key. A page's own queries live with the page.
import { type InfiniteData, infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { api, asProblem, call, type Generation } from "./client";
import type { operations } from "./types";

export type GenerationFilter = NonNullable<operations["list_generations"]["parameters"]["query"]>;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Also while the browser calls itself offline: the service worker may have the answer, and who has none says so.
      mutations: { networkMode: "always" },
      queries: {
        networkMode: "always",
        staleTime: 10_000,
        // What a second try can mend: no answer, and 502-504 of a proxy or a busy server.
        retry: (count, error) => count < 2 && [0, 429, 502, 503, 504].includes(asProblem(error).status),
      },
    },
  });
}

const forever = { staleTime: Number.POSITIVE_INFINITY } as const;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => call(api.GET("/api/v1/me")),
  staleTime: 60_000,
});
export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: () => call(api.GET("/api/v1/models")) });
export const samplersQuery = queryOptions({
  queryKey: ["samplers"],
  queryFn: () => call(api.GET("/api/v1/samplers")),
  ...forever,
});
export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: () => call(api.GET("/api/v1/schedules")),
  ...forever,
});
export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: () => call(api.GET("/version")),
  ...forever,
});

export const generationQuery = (id: string) =>
  queryOptions({
    queryKey: ["generation", id],
    queryFn: () => call(api.GET("/api/v1/generations/{id}", { params: { path: { id } } })),
  });

/** A generation that a list or a grid has brought: shown at once, and without a connection. */
export function findCached(client: QueryClient, id: string): Generation | undefined {
  for (const kind of ["generations", "grid"])
    for (const [, data] of client.getQueriesData<InfiniteData<{ items: Generation[] }>>({ queryKey: [kind] }))
      for (const page of data?.pages ?? []) {
        const found = page.items.find((one) => one.id === id);
        if (found) return found;
      }
  return undefined;
}

export const generationsQuery = (filter: GenerationFilter) =>
  infiniteQueryOptions({
    queryKey: ["generations", filter],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/generations", {
          params: { query: { limit: 100, ...filter, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

export const experimentQuery = (id: string) =>
  queryOptions({
    queryKey: ["experiment", id],
    queryFn: () => call(api.GET("/api/v1/experiments/{id}", { params: { path: { id } } })),
  });

/** All cells of a run (absent: the newest), page after page; the grid and the monitor share it. */
export const gridQuery = (id: string, run?: number) =>
  infiniteQueryOptions({
    queryKey: ["grid", id, run ?? 0],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/experiments/{id}/grid", {
          params: {
            path: { id },
            query: { limit: 1000, ...(run ? { run } : {}), ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY, // events keep it fresh (api/live.ts)
    structuralSharing: false, // comparing 10,000 cells with each event costs more than it saves
  });
