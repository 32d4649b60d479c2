// The live plan: what the server says of the spec as it stands, asked while somebody types. Older questions are
// cancelled; the last plan stays visible (as old) while the spec has problems.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import { api, asProblem, call, type ExperimentSpec, type FieldProblem, type Plan, type Problem } from "@/api/client";
import { useBuilder, written } from "./store";

export const previewCells = 1000;
const pause = 250;

export interface LivePlan {
  plan?: Plan;
  /** Belongs to an earlier spec. */
  old: boolean;
  waiting: boolean;
  problem?: Problem;
  retry: () => void;
}

function useLate<T>(value: T, milliseconds: number): T {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return late;
}

const ask = (text: string, signal: AbortSignal) =>
  call(
    api.POST("/api/v1/experiments/plan", {
      params: { query: { cells: previewCells } },
      body: JSON.parse(text) as ExperimentSpec,
      signal,
    }),
  );

export function useLivePlan(): LivePlan {
  const text = useBuilder((state) => written(state.form).text);
  const late = useLate(text, pause);
  const [last, setLast] = useState<Plan>();
  const query = useQuery({
    queryKey: ["plan", late],
    queryFn: ({ signal }) => ask(late, signal),
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });
  if (query.data && query.data !== last) setLast(query.data);
  const waiting = query.isFetching || late !== text;
  return {
    plan: query.data ?? last,
    old: query.isError || query.isPlaceholderData || late !== text,
    waiting,
    problem: query.error ? asProblem(query.error) : undefined,
    retry: () => void query.refetch(),
  };
}

export const PlanContext = createContext<LivePlan>({ old: false, waiting: false, retry: () => {} });
export const usePlan = (): LivePlan => useContext(PlanContext);

const none: FieldProblem[] = [];
/** What is wrong at a place of the spec or inside it. */
export function problemsAt(problem: Problem | undefined, pointer: string | undefined): FieldProblem[] {
  if (!problem || pointer === undefined) return none;
  return problem.errors.filter((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`));
}

/** Shown in red once somebody has begun: an empty form is no mistake. */
export function useProblemsAt(pointer: string | undefined): FieldProblem[] {
  const { problem } = usePlan();
  const touched = useBuilder((state) => state.touched);
  return touched ? problemsAt(problem, pointer) : none;
}

export function usePointer(id: string): string | undefined {
  return useBuilder((state) => written(state.form).places.get(id));
}
