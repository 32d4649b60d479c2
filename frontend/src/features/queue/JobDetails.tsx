// Everything about one job; asked when it is opened, because its place in the queue is counted then.
import { Box, Link as ChakraLink, SimpleGrid } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Job } from "@/api/client";
import { CopyButton } from "@/components/CopyButton";
import { Facts } from "@/components/Facts";
import { ProblemNotice } from "@/components/states";
import { formatSeconds, formatTime, t } from "@/i18n";
import { experimentNamesQuery, hasEnded, isDelayed, jobQuery, secondsOf } from "./jobs";
import { recipeFacts } from "./recipe";

function To({ address, children }: { address: string; children: string }) {
  return (
    <ChakraLink asChild colorPalette="brand" textDecoration="underline">
      <Link to={address}>{children}</Link>
    </ChakraLink>
  );
}

/** The experiment or the task that it is drawn for. */
function useOwner(run: string | null | undefined, task: string | null | undefined) {
  const { data } = useQuery({ ...experimentNamesQuery, enabled: Boolean(run) && !task });
  const experiment = run ? data?.find((one) => one.run?.id === run) : undefined;
  return {
    experiment: experiment && <To address={`/experiments/${experiment.id}`}>{experiment.name}</To>,
    task: task && <To address={`/tasks/${task}`}>{t("queue.openTask")}</To>,
  };
}

function place(job: Job): string | undefined {
  if (job.position == null) return undefined;
  return job.position === 0 ? t("queue.next") : t("queue.before", { n: job.position });
}

const time = (value: string | null | undefined): string | undefined => (value ? formatTime(value) : undefined);

export function JobDetails({ job }: { job: Job }) {
  const { data, error, refetch } = useQuery({ ...jobQuery(job.id), enabled: !hasEnded(job) || Boolean(job.run_id) });
  const owner = useOwner(job.run_id, data?.task_id);
  const now = { ...job, ...(data && !hasEnded(job) ? { position: data.position } : {}) };
  const seconds = secondsOf(job);
  return (
    <Box py="2">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      <SimpleGrid columns={{ base: 1, md: 2 }} gap="4">
        <Facts
          items={[
            [t("queue.place"), place(now)],
            [t("queue.error"), job.error?.message],
            [t("queue.experiment"), owner.experiment],
            [t("queue.task"), owner.task],
            [
              t("queue.attempts"),
              job.max_attempts ? t("queue.attemptsOf", { n: job.attempts, most: job.max_attempts }) : undefined,
            ],
            [t("queue.again"), isDelayed(job) ? time(job.run_after) : undefined],
            [t("queue.worker"), job.worker],
            [t("queue.created"), time(job.created_at)],
            [t("queue.started"), time(job.started_at)],
            [t("queue.finished"), time(job.finished_at)],
            [t("queue.took"), seconds === undefined ? undefined : formatSeconds(seconds)],
            [t("queue.id"), <CopyButton key="id" text={job.id} label={job.id} variant="ghost" px="0" h="auto" />],
          ]}
        />
        <Facts items={recipeFacts(job.recipe ?? {})} />
      </SimpleGrid>
    </Box>
  );
}
