// Where an experiment begins: empty, or with what the address names. What this browser kept of an earlier visit comes back.
import { Button, Flex, Text } from "@chakra-ui/react";
import { FlaskConical } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { Experiment } from "@/api/client";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { Builder, Notice } from "./Builder";
import { handedOver } from "./save";
import type { Form } from "./spec/form";
import { type BuilderStore, forgetDraft, keptDraft, makeStore, written } from "./store";
import { useSource } from "./useSource";

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
