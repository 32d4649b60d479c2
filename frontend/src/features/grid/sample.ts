// Cells for tests: a grid of samplers, steps and guidance with replicates, as the server would send it.
import type { Generation } from "@/api/client";
import type { GridPage } from "./cube";

const run = {
  id: "run-1",
  experiment_id: "e-1",
  number: 1,
  status: "completed" as const,
  completed: 0,
  failed: 0,
  cancelled: 0,
  impossible: 0,
  reused: 0,
};

export function generation(more: Partial<Generation> & { id: string }): Generation {
  const base = {
    status: "succeeded" as const,
    prompt: "a red circle",
    negative_prompt: null,
    model: "demo",
    parameters: { model: "demo", steps: more.steps ?? 4, sampler: more.sampler ?? "euler" },
    sampler: "euler",
    schedule: "model",
    steps: 4,
    cfg_scale: 4,
    seed: 1,
    width: 64,
    height: 64,
    image: {
      url: `/api/v1/generations/${more.id}/image`,
      thumbnail_url: `/api/v1/generations/${more.id}/thumbnail`,
      sha256: more.id,
      format: "png" as const,
      bytes: 10,
      width: 64,
      height: 64,
    },
    generation_time: 0.5,
    memory_used: 1_000_000,
    reused: false,
    measures: { sharpness: 1 },
    error: null,
    rating: null,
    favourite: false,
    tags: [],
    created_at: "2026-01-01T00:00:00Z",
    url: `/api/v1/generations/${more.id}`,
  };
  return { ...base, ...more };
}

export const samplers = ["euler", "heun", "ddim"];
export const steps = [4, 8, 12, 20];

/** 3 samplers x 4 steps x 2 replicates; heun with 20 steps is impossible, ddim with 4 failed. */
export function samplePage(): GridPage {
  const items = samplers.flatMap((sampler, s) =>
    steps.flatMap((count, n) =>
      [0, 1].map((replicate) => {
        const impossible = sampler === "heun" && count === 20;
        const failed = sampler === "ddim" && count === 4;
        return generation({
          id: `${sampler}-${count}-${replicate}`,
          cell: (s * 4 + n) * 2 + replicate,
          replicate,
          seed: 100 + replicate,
          sampler,
          steps: count,
          axes: { sampler, steps: count },
          measures: { sharpness: s * 10 + n },
          ...(impossible || failed ? { image: null, measures: null, generation_time: null } : {}),
          ...(impossible ? { status: "impossible", error: { code: "impossible", message: "too slow" } } : {}),
          ...(failed ? { status: "failed", error: { code: "failed", message: "out of memory" } } : {}),
        });
      }),
    ),
  );
  return {
    run: { ...run, total: items.length, completed: 20 },
    axes: [
      {
        name: "sampler",
        parameter: "sampler",
        numeric: false,
        values: samplers.map((label) => ({ label, value: label })),
      },
      { name: "steps", parameter: "steps", numeric: true, values: steps.map((n) => ({ label: String(n), value: n })) },
    ],
    replicates: 2,
    items,
    next_cursor: null,
  };
}
