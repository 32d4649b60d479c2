// What a parameter may be, where it is one of a list: models, samplers, schedules and the like of this server.
import { useQuery } from "@tanstack/react-query";
import { modelsQuery, samplersQuery, schedulesQuery } from "@/api/queries";
import type { Option } from "@/features/recipe/fields";
import { rngs, spacings } from "./spec/parameters";

const plain = (values: string[]): Option[] => values.map((value) => ({ value, label: value }));

/** Undefined: the parameter takes any value. */
export function useOptions(name: string): Option[] | undefined {
  const models = useQuery({ ...modelsQuery, enabled: name === "model" }).data?.items ?? [];
  const samplers = useQuery({ ...samplersQuery, enabled: name === "sampler" }).data?.items ?? [];
  const schedules = useQuery({ ...schedulesQuery, enabled: name === "schedule" }).data?.items ?? [];
  if (name === "model") return models.map((one) => ({ value: one.name, label: one.name, disabled: !!one.problem }));
  if (name === "sampler") return samplers.map((one) => ({ value: one.name, label: one.label ?? one.name }));
  if (name === "schedule") return schedules.map((one) => ({ value: one.name, label: one.label ?? one.name }));
  if (name === "spacing") return plain(spacings);
  if (name === "rng") return plain(rngs);
  return undefined;
}
