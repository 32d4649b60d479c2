// One thing done with every job that fits: all that wait are cancelled, all that died are tried again. The number is
// counted when the question is asked, and named in it.
import { Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, type Job } from "@/api/client";
import { ConfirmButton } from "@/components/ConfirmButton";
import { notify } from "@/components/notify";
import { Loading, ProblemNotice } from "@/components/states";
import { formatNumber, t } from "@/i18n";
import { cancelJob, gather, isFiltered, type JobFilter, requeueJob } from "./jobs";
import { onAll } from "./many";

function useBatch(
  filter: JobFilter,
  work: (id: string) => Promise<Job>,
  said: "queue.cancelDone" | "queue.requeueDone",
) {
  const client = useQueryClient();
  const [found, setFound] = useState<Job[]>();
  const [error, setError] = useState<unknown>();
  const [done, setDone] = useState(0);
  const count = () => {
    setFound(undefined);
    setError(undefined);
    setDone(0);
    gather(filter).then(setFound, setError);
  };
  const run = async () => {
    const outcome = await onAll(found ?? [], (job) => work(job.id), setDone);
    for (const queryKey of [["jobs"], ["job"], ["queue"]]) void client.invalidateQueries({ queryKey });
    if (outcome.done) notify.done(t(said, { n: outcome.done }));
    if (outcome.failed)
      notify.error(new Error(t("queue.someFailed", { n: outcome.failed, why: asProblem(outcome.why).message })));
  };
  return { found, error, done, count, run };
}

interface Props {
  label: string;
  action: string;
  title: "queue.cancelTitle" | "queue.requeueTitle";
  text: string;
  batch: ReturnType<typeof useBatch>;
  harmless?: boolean;
}

function BatchButton({ label, action, title, text, batch, harmless }: Props) {
  const { found, error, done } = batch;
  const n = found?.length ?? 0;
  return (
    <ConfirmButton
      size="sm"
      title={found ? (n ? t(title, { n }) : t("queue.cancelNone")) : label}
      action={action}
      harmless={harmless}
      ready={n > 0}
      onOpen={batch.count}
      onConfirm={batch.run}
      text={
        <>
          {error !== undefined && <ProblemNotice error={error} retry={batch.count} />}
          {!found && error === undefined && <Loading label={t("queue.counting")} />}
          {n > 0 && <Text>{text}</Text>}
          {done > 0 && <Text role="status">{t("queue.doneOf", { done: formatNumber(done), n: formatNumber(n) })}</Text>}
        </>
      }
    >
      {label}
    </ConfirmButton>
  );
}

export function CancelWaiting({ filter }: { filter: JobFilter }) {
  const waiting: JobFilter = { ...filter, status: "queued" };
  const batch = useBatch(waiting, cancelJob, "queue.cancelDone");
  const narrowed = isFiltered({ ...filter, status: undefined });
  return (
    <BatchButton
      label={t("queue.cancelAll")}
      action={t("queue.cancelAll")}
      title="queue.cancelTitle"
      text={narrowed ? `${t("queue.cancelText")} ${t("queue.cancelFiltered")}` : t("queue.cancelText")}
      batch={batch}
    />
  );
}

export function RequeueDead() {
  const batch = useBatch({ status: "dead" }, requeueJob, "queue.requeueDone");
  return (
    <BatchButton
      label={t("queue.requeueAll")}
      action={t("queue.requeueAll")}
      title="queue.requeueTitle"
      text={t("queue.requeueText")}
      batch={batch}
      harmless
    />
  );
}
