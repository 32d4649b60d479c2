// One operation on many jobs, a few at a time.
export interface Outcome {
  done: number;
  failed: number;
  /** The first reason. */
  why?: unknown;
}

const together = 4;

export async function onAll<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  progress: (done: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, failed: 0 };
  const rest = [...items];
  const one = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) {
      try {
        await work(item);
        outcome.done++;
      } catch (error) {
        outcome.failed++;
        outcome.why ??= error;
      }
      progress(outcome.done + outcome.failed);
    }
  };
  await Promise.all(Array.from({ length: together }, one));
  return outcome;
}
