// Where an experiment begins: empty, with a picture's parameters (?from=), as a copy of another (?clone=), or as a draft
// that is edited. What this browser kept of an earlier visit comes back.
import { Button, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { FlaskConical } from "lucide-react";
import { useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { api, call, type Experiment, type Generation } from "@/api/client";
import { experimentQuery, generationQuery } from "@/api/queries";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { draftOf } from "@/features/recipe/draft";
import { formatAgo, t } from "@/i18n";
import { Builder, Notice } from "./Builder";
import { handedOver } from "./save";
import { newAxis, setType } from "./spec/edits";
import { emptyForm, type Form, fromSpec, type Spec } from "./spec/form";
import { parseJson } from "./spec/json";
import { type BuilderStore, forgetDraft, keptDraft, makeStore, written } from "./store";

function freshForm(): Form {
  const form = emptyForm("");
  return setType({ ...form, axes: [newAxis("sampler")] }, "convergence");
}

/** A picture's parameters as the base. What only the picture itself has (start image, mask) comes with a link to it. */
export function formOf(generation: Generation): Form {
  const form = freshForm();
  const { sampler, steps, ...base } = draftOf(generation.parameters);
  if (generation.parameters.init_sha256) return { ...form, baseGeneration: generation.id };
  return { ...form, base, axes: sampler || steps ? form.axes : [] };
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

interface Source {
  draftKey: string;
  id?: string;
  /** Undefined until it is here. */
  first?: Form;
  error: unknown;
  experiment?: Experiment;
}

function useSource(): Source {
  const { id } = useParams();
  const [search] = useSearchParams();
  const from = search.get("from") ?? undefined;
  const clone = id ? undefined : (search.get("clone") ?? undefined);
  const example = id ?? clone;
  const experiment = useQuery({ ...experimentQuery(id ?? ""), enabled: !!id });
  const spec = useQuery({ ...specQuery(example ?? ""), enabled: !!example });
  const generation = useQuery({ ...generationQuery(from ?? ""), enabled: !!from && !example });
  const [empty] = useState(freshForm);
  const draftKey = id ? `edit:${id}` : clone ? `clone:${clone}` : from ? `from:${from}` : "new";
  if (example)
    return { draftKey, id, first: spec.data, error: spec.error ?? experiment.error, experiment: experiment.data };
  if (from) return { draftKey, first: generation.data && formOf(generation.data), error: generation.error };
  return { draftKey, first: empty, error: null };
}

/** What the page begins with: handed over by a save, kept by this browser, or new. */
function begin(id: string | undefined, draftKey: string, first: Form): { store: BuilderStore; kept?: number } {
  const handed = id ? handedOver.get(id) : undefined;
  if (handed) return { store: handed };
  const kept = keptDraft(draftKey);
  // Nothing of a new experiment is on the server, so that what a copy brings counts as not saved.
  if (kept) return { store: makeStore(kept.form, written(first).text), kept: kept.at };
  return { store: makeStore(first) };
}

function Begun({ id, draftKey, first }: { id?: string; draftKey: string; first: Form }) {
  const [{ store, kept }, setBegun] = useState(() => begin(id, draftKey, first));
  const forget = () => {
    forgetDraft(draftKey);
    setBegun({ store: makeStore(first) });
  };
  const notice = kept && (
    <Notice
      action={
        <Button size="xs" variant="outline" onClick={forget}>
          {t("builder.kept.forget")}
        </Button>
      }
    >
      {t("builder.kept.text", { ago: formatAgo(new Date(kept).toISOString()) })}
    </Notice>
  );
  return <Builder key={kept ?? "fresh"} store={store} id={id} draftKey={draftKey} notice={notice} />;
}

function AlreadyStarted({ experiment }: { experiment: Experiment }) {
  return (
    <Page title={experiment.name}>
      <Empty
        icon={<FlaskConical size={40} />}
        title={t("builder.problem.started")}
        action={
          <Flex gap="2" wrap="wrap" justify="center">
            <Button asChild>
              <Link to={`/experiments/new?clone=${experiment.id}`}>{t("builder.problem.copy")}</Link>
            </Button>
            <Button asChild variant="outline">
              <Link to={`/experiments/${experiment.id}`}>{t("builder.problem.open")}</Link>
            </Button>
          </Flex>
        }
      >
        <Text as="span">{t("builder.problem.startedHelp")}</Text>
      </Empty>
    </Page>
  );
}

export function Component() {
  const { draftKey, id, first, error, experiment } = useSource();
  if (error)
    return (
      <Page title={t("builder.title")}>
        <ProblemNotice error={error} />
      </Page>
    );
  if (!first || (id && !experiment))
    return (
      <Page title={t("builder.title")}>
        <Loading />
      </Page>
    );
  if (experiment && experiment.status !== "draft") return <AlreadyStarted experiment={experiment} />;
  return <Begun key={draftKey} id={id} draftKey={draftKey} first={first} />;
}
