// How fast cells end, over a sliding window, and what follows for the time left.
import type { Run } from "@/api/client";
import { endedOf } from "@/features/experiment/merge";

/** Cells drawn by a moment of the browser's clock, in milliseconds. */
export interface Sample {
  at: number;
  drawn: number;
}

const WINDOW = 60_000;
const LEAST = 2_000;

/** Reused cells were there before, impossible and cancelled ones cost nothing: none of them is speed. */
export const drawnOf = (run: Pick<Run, "completed" | "failed" | "reused">): number =>
  Math.max(0, run.completed + run.failed - run.reused);

export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1);
  // A retry takes failures back: what was seen before says nothing of what comes.
  if (last && sample.drawn < last.drawn) return [sample];
  return [...samples.filter(({ at }) => sample.at - at <= WINDOW), sample];
}

/** Cells a minute; undefined when too little was seen. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < LEAST || last.drawn === first.drawn) return undefined;
  return ((last.drawn - first.drawn) * 60_000) / (last.at - first.at);
}

/** Over the whole run: all there is after a reload, and when it has ended. */
export function averageRate(run: Run, now: number): number | undefined {
  const seconds = elapsedSeconds(run, now);
  const drawn = drawnOf(run);
  return seconds && drawn ? (drawn * 60) / seconds : undefined;
}

export function elapsedSeconds(run: Run, now: number): number | undefined {
  if (!run.started_at) return undefined;
  const end = run.finished_at ? Date.parse(run.finished_at) : now;
  return Math.max(0, (end - Date.parse(run.started_at)) / 1000);
}

/** The server's estimate, else from the rate. */
export function secondsLeft(run: Run, rate: number | undefined): number | undefined {
  if (run.status !== "running") return undefined;
  if (typeof run.eta_seconds === "number") return run.eta_seconds;
  return rate ? ((run.total - endedOf(run)) * 60) / rate : undefined;
}
