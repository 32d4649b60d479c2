// What the pages of one experiment ask, beside the shared queries.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";

export type Analysis = Schemas["Analysis"];
export type Measure = Schemas["Measure"];

export const runsQuery = (id: string) =>
  queryOptions({
    queryKey: ["runs", id],
    queryFn: () => call(api.GET("/api/v1/experiments/{id}/runs", { params: { path: { id }, query: { limit: 200 } } })),
  });

export interface AnalysisChoice {
  run?: number;
  measure?: Measure;
  tolerance?: number;
  reference?: string;
}

export const analysisQuery = (id: string, choice: AnalysisChoice) =>
  queryOptions({
    queryKey: ["analysis", id, choice],
    queryFn: () => call(api.GET("/api/v1/experiments/{id}/analysis", { params: { path: { id }, query: choice } })),
  });

export const comparisonQuery = (id: string, run: number, other: number) =>
  infiniteQueryOptions({
    queryKey: ["run-comparison", id, run, other],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/experiments/{id}/compare", {
          params: {
            path: { id },
            query: { run, with: other, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

/** What is drawn at this moment, of one run. */
export const drawingQuery = (runId: string) =>
  queryOptions({
    queryKey: ["drawing", runId],
    queryFn: () =>
      call(api.GET("/api/v1/generations", { params: { query: { run_id: runId, status: "running", limit: 8 } } })),
    staleTime: 0,
  });
