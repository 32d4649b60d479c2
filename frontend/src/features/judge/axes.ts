// Axes that a jury may compare: prompts, words in prompts and seeds are the same on both sides.
import type { ExperimentSpec } from "@/api/client";
import type { Axis } from "@/features/experiment/coordinates";

export function judgedAxes(axes: readonly Axis[], spec: ExperimentSpec): string[] {
  const words = new Set(
    (spec.axes ?? []).flatMap((axis) =>
      axis.variable || axis.replace ? [axis.name ?? axis.variable ?? axis.replace] : [],
    ),
  );
  const same = ["prompt", "negative_prompt", "seed", "init_image", "mask"];
  return axes
    .filter(({ name, parameter, values }) => values.length > 1 && !same.includes(parameter ?? "") && !words.has(name))
    .map(({ name }) => name);
}
