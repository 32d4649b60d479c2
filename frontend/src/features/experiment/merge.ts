// How events and answers of the API become one state. An event says that a cell ended or where a run stands; an answer
// says what the database held when it was read. Neither may push the other back.
import type { InfiniteData } from "@tanstack/react-query";
import type { Experiment, Generation, Run, Schemas } from "@/api/client";
import { isEnded } from "@/api/live";

export type Grid = Schemas["Grid"];
export type GridPages = InfiniteData<Grid, string>;

/** The contract's event, with what the server adds for those who order and count. */
export interface Progress {
  run_id: string;
  /** Of the run. */
  number: number;
  status: Run["status"];
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  impossible: number;
  reused: number;
  eta_seconds: number | null;
  /** Grows strictly: an event with a smaller one is late. */
  sequence: number;
}

export type Counters = Pick<Run, "completed" | "failed" | "cancelled" | "impossible">;

export const endedOf = (run: Counters): number => run.completed + run.failed + run.cancelled + run.impossible;

/** A picture that exists is never drawn again; everything else may be said anew. */
export function supersedes(shown: Generation, said: Generation): boolean {
  if (shown.status === "succeeded" || shown.status === "impossible") return false;
  return shown.status !== said.status || shown.attempts !== said.attempts;
}

/** Pages with the cells that events brought; the same object when they say nothing new. */
export function mergeCells(pages: GridPages, runId: string, said: ReadonlyMap<string, Generation>): GridPages {
  let left = said.size;
  let changed = false;
  const merged = pages.pages.map((page) => {
    if (!left || page.run.id !== runId) return page;
    let items: Generation[] | undefined;
    page.items.forEach((shown, index) => {
      const cell = left ? said.get(shown.id) : undefined;
      if (!cell) return;
      left--;
      if (!supersedes(shown, cell)) return;
      items ??= page.items.slice();
      items[index] = cell;
    });
    if (!items) return page;
    changed = true;
    return { ...page, items };
  });
  return changed ? { ...pages, pages: merged } : pages;
}

/** The run as an event has it. Members that the event lacks stay. */
export function mergeRun(run: Run, event: Progress): Run {
  const { status, total, completed, failed, cancelled, impossible, reused, eta_seconds } = event;
  return { ...run, status, total, completed, failed, cancelled, impossible, reused, eta_seconds };
}

export function mergeProgress(experiment: Experiment, event: Progress): Experiment {
  if (experiment.run?.id !== event.run_id) return experiment;
  return { ...experiment, status: event.status, run: mergeRun(experiment.run, event) };
}

/** Whether a page holds cells that may still change. */
export const isOpen = (page: Grid): boolean =>
  page.items.some((cell) => cell.status !== "succeeded" && cell.status !== "impossible");

/** Cells of a run that have ended, when all its pages are here. */
export function endedCells(pages: GridPages, runId: string): number | undefined {
  let count = 0;
  for (const page of pages.pages) {
    if (page.run.id !== runId) return undefined;
    for (const cell of page.items) if (isEnded(cell)) count++;
  }
  return pages.pages.at(-1)?.next_cursor ? undefined : count;
}

/** After a retry: what failed or was cancelled waits again. */
export function reopen(pages: GridPages, runId: string | undefined): GridPages {
  return {
    ...pages,
    pages: pages.pages.map((page) =>
      page.run.id !== runId
        ? page
        : {
            ...page,
            items: page.items.map((cell) =>
              cell.status === "failed" || cell.status === "cancelled"
                ? { ...cell, status: "queued" as const, attempts: 0, error: null }
                : cell,
            ),
          },
    ),
  };
}

/** The API's own answer about one cell. */
export function replaceCell(pages: GridPages, cell: Generation): GridPages {
  return {
    ...pages,
    pages: pages.pages.map((page) =>
      page.items.some(({ id }) => id === cell.id)
        ? { ...page, items: page.items.map((shown) => (shown.id === cell.id ? cell : shown)) }
        : page,
    ),
  };
}
