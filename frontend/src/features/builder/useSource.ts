// What the builder begins with, by its address: nothing, a picture's parameters (?from=), a copy of another experiment
// (?clone=), an example (?example=), or a draft that is edited (/experiments/:id/edit).
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams, useSearchParams } from "react-router";
import { api, call, type Experiment, type Generation } from "@/api/client";
import { experimentQuery, generationQuery } from "@/api/queries";
import { exampleSpec, isExample } from "@/features/experiments/examples";
import { defaultModel, draftOf } from "@/features/recipe/draft";
import { t } from "@/i18n";
import { parseJson } from "@/lib/json";
import { newAxis, setType } from "./spec/edits";
import { emptyForm, type Form, fromSpec, type Spec } from "./spec/form";

function freshForm(): Form {
  return setType({ ...emptyForm(""), axes: [newAxis("sampler")] }, "convergence");
}

/** A picture's parameters as the base, but for what the form varies. What only the picture has (start image, mask) comes
 *  with a link to it. */
export function formOf(generation: Generation): Form {
  const form = freshForm();
  if (generation.parameters.init_sha256) return { ...form, baseGeneration: generation.id };
  const { sampler: _s, steps: _n, ...base } = draftOf(generation.parameters);
  return { ...form, base };
}

/** The spec as it was written: as text, because seeds may be larger than JSON.parse can read. */
const specQuery = (id: string) => ({
  queryKey: ["experiment-spec", id],
  queryFn: async () => {
    const text = await call(api.GET("/api/v1/experiments/{id}/spec", { params: { path: { id } }, parseAs: "text" }));
    return fromSpec(parseJson(String(text)).value as Spec);
  },
  gcTime: 0,
});

export interface Source {
  /** Where this browser keeps what is not saved. */
  draftKey: string;
  /** Of a draft that the server has. */
  id?: string;
  /** Undefined until it is here. */
  first?: Form;
  error: unknown;
  experiment?: Experiment;
}

const fresh = (name: string | null): Form =>
  isExample(name) ? fromSpec(exampleSpec(name, defaultModel) as unknown as Spec) : freshForm();

export function useSource(): Source {
  const { id } = useParams();
  const [search] = useSearchParams();
  const from = search.get("from") ?? "";
  const clone = search.get("clone") ?? "";
  const example = search.get("example");
  const stored = id ?? clone;
  const experiment = useQuery({ ...experimentQuery(stored), enabled: !!stored });
  const spec = useQuery({ ...specQuery(stored), enabled: !!stored });
  const generation = useQuery({ ...generationQuery(from), enabled: !!from && !stored });
  const [unstored] = useState(() => fresh(example));
  const error = spec.error ?? experiment.error ?? generation.error;
  if (id) return { draftKey: `edit:${id}`, id, first: spec.data, error, experiment: experiment.data };
  if (clone) {
    const name = t("builder.copyOf", { name: experiment.data?.name ?? "" });
    return { draftKey: `clone:${clone}`, first: experiment.data && spec.data && { ...spec.data, name }, error };
  }
  if (from) return { draftKey: `from:${from}`, first: generation.data && formOf(generation.data), error };
  return { draftKey: example ? `example:${example}` : "new", first: unstored, error };
}
