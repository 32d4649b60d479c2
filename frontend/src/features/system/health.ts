// What the server says of itself. /readyz answers 503 with the same body when something is missing, which is an answer
// and no failure.
import { queryOptions } from "@tanstack/react-query";
import { api, asProblem, call, problemOf, type Schemas } from "@/api/client";

export type Readiness = Schemas["Readiness"];
/** While the page is shown; TanStack Query rests when it is hidden. */
const every = 5000;

const isReadiness = (body: unknown): body is Readiness =>
  typeof body === "object" && body !== null && "checks" in body && Array.isArray(body.checks);

async function ready(): Promise<Readiness> {
  let answer: Awaited<ReturnType<typeof ask>>;
  try {
    answer = await ask();
  } catch (error) {
    throw asProblem(error);
  }
  const body: unknown = answer.data ?? answer.error;
  if (isReadiness(body)) return body;
  throw problemOf(body, answer.response);
}
const ask = () => api.GET("/readyz");

export const readyQuery = queryOptions({ queryKey: ["readyz"], queryFn: ready, refetchInterval: every, retry: false });
export const hardwareQuery = queryOptions({
  queryKey: ["hardware"],
  queryFn: () => call(api.GET("/api/v1/hardware")),
  refetchInterval: every,
});
export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: () => call(api.GET("/api/v1/providers")),
  refetchInterval: 4 * every,
});
export const workersQuery = queryOptions({
  queryKey: ["workers"],
  queryFn: () => call(api.GET("/api/v1/workers")),
  refetchInterval: every,
});

/** Members that the contract leaves open, read with care. */
export const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** 0 to 1 of a memory that is taken. */
export function usedShare(total: number | null | undefined, free: number | null | undefined): number | undefined {
  if (!total || free == null) return undefined;
  return Math.min(1, Math.max(0, 1 - free / total));
}
