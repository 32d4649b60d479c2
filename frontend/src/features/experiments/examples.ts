// Small experiments to begin with: seconds with the demo model. The builder opens them by name (?example=).
import type { ExperimentSpec } from "@/api/client";
import { t } from "@/i18n";

export const exampleNames = ["steps", "cfg", "samplers"] as const;
export type ExampleName = (typeof exampleNames)[number];
export const isExample = (name: string | null): name is ExampleName => exampleNames.some((one) => one === name);

const prompts = ["a red circle left of a blue square", "a green triangle above a yellow circle"];

const specs: Record<ExampleName, (model: string) => ExperimentSpec> = {
  steps: (model) => ({
    version: 1,
    type: "convergence",
    base: { model, prompt: prompts[0], cfg_scale: 4 },
    samplers: ["euler", "heun", "dpmpp_2m", "ddim"],
    steps: [4, 8, 12, 16, 24, 32],
  }),
  cfg: (model) => ({
    version: 1,
    type: "cfg",
    base: { model, prompt: prompts[0], sampler: "dpmpp_2m", steps: 12 },
    cfg_scales: { from: 1, to: 16, count: 7, scale: "log" },
    replicates: { count: 2 },
  }),
  samplers: (model) => ({
    version: 1,
    type: "parameter_sweep",
    base: { model, steps: 20, cfg_scale: 4 },
    prompts,
    samplers: ["euler", "euler_ancestral", "heun", "dpmpp_2m", "dpmpp_sde", "uni_pc", "ddim", "deis"],
    reference: { axis: "sampler", value: "dpmpp_2m" },
  }),
};

export function exampleSpec(name: ExampleName, model: string): ExperimentSpec {
  return { ...specs[name](model), name: t(`experiments.example.${name}`) };
}
