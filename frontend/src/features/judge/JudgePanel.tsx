import { Loading } from "@/components/states";
import { useExperiment } from "@/features/experiment/useRun";
import { Jury } from "./Jury";

export function Component() {
  const { experiment, number } = useExperiment();
  return experiment ? <Jury experiment={experiment} run={number} /> : <Loading />;
}
