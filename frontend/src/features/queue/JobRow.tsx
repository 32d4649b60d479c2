// One job: what it draws, where it stands, what may be done with it.
import { Badge, Button, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ChevronRight, RotateCcw, X } from "lucide-react";
import { useState } from "react";
import type { Job } from "@/api/client";
import { Choice } from "@/components/fields";
import { notify } from "@/components/notify";
import { Cell, Row } from "@/components/Rows";
import { formatAgo, formatSeconds, t } from "@/i18n";
import { JobDetails } from "./JobDetails";
import {
  cancelJob,
  dismissJob,
  isDelayed,
  jobChanged,
  type Priority,
  priorities,
  requeueJob,
  secondsOf,
  setPriority,
  showJob,
} from "./jobs";

const palettes = { queued: "gray", running: "brand", succeeded: "green", failed: "red", cancelled: "gray" } as const;
export const jobColumns = "minmax(0, 1fr) 9rem 8.5rem 10rem 7rem";
export const nameOf = (job: Job): string => job.recipe?.prompt?.trim() || job.model;

function useChange(work: () => Promise<Job>, said?: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: (job) => {
      jobChanged(client, job);
      if (said) notify.done(said);
    },
    onError: (error) => notify.error(error),
  });
}

function State({ job }: { job: Job }) {
  const delayed = isDelayed(job);
  const text = job.dead ? t("queue.dead") : delayed ? t("queue.delayed") : t(`common.status.${job.status}`);
  return (
    <Badge colorPalette={palettes[job.status]} variant="outline" whiteSpace="normal">
      {text}
    </Badge>
  );
}

function PriorityChoice({ job }: { job: Job }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (priority: Priority) => setPriority(job.id, priority),
    onMutate: (priority) => showJob(client, { ...job, priority }),
    onSuccess: (now) => jobChanged(client, now),
    onError: (error) => {
      showJob(client, job);
      notify.error(error);
    },
  });
  return (
    <Choice
      quiet
      size="xs"
      width="32"
      label={t("queue.changePriority", { prompt: nameOf(job) })}
      value={job.priority}
      options={priorities.map((one) => [one, t(`queue.priorityOf.${one}`)] as const)}
      onChange={(priority) => change.mutate(priority)}
    />
  );
}

function Actions({ job }: { job: Job }) {
  const cancel = useChange(() => cancelJob(job.id), t("queue.cancelled"));
  const requeue = useChange(() => requeueJob(job.id), t("queue.requeued"));
  const client = useQueryClient();
  const dismiss = useMutation({
    mutationFn: () => dismissJob(job.id),
    onSuccess: () => {
      jobChanged(client, { ...job, dead: false });
      void client.invalidateQueries({ queryKey: ["jobs"] });
      notify.done(t("queue.dismissed"));
    },
    onError: (error) => notify.error(error),
  });
  const size = { size: "xs", variant: "outline", h: { base: "9", md: "7" } } as const;
  if (job.status === "queued" || job.status === "running")
    return (
      <Button
        {...size}
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
        aria-label={t("queue.cancelOf", { prompt: nameOf(job) })}
      >
        <X size={14} aria-hidden />
        {t("queue.cancel")}
      </Button>
    );
  if (job.status !== "failed") return null;
  return (
    <Flex gap="1" wrap="wrap" justify={{ base: "end", md: "start" }}>
      <Button
        {...size}
        loading={requeue.isPending}
        onClick={() => requeue.mutate()}
        aria-label={t("queue.requeueOf", { prompt: nameOf(job) })}
      >
        <RotateCcw size={14} aria-hidden />
        {t("queue.requeue")}
      </Button>
      {job.dead && (
        <Button
          {...size}
          variant="ghost"
          loading={dismiss.isPending}
          onClick={() => dismiss.mutate()}
          aria-label={t("queue.dismissOf", { prompt: nameOf(job) })}
        >
          {t("queue.dismiss")}
        </Button>
      )}
    </Flex>
  );
}

function What({ job, open, onToggle }: { job: Job; open: boolean; onToggle: () => void }) {
  const { recipe } = job;
  const line = [
    job.model,
    recipe?.sampler,
    recipe?.steps && t("queue.steps", { n: recipe.steps }),
    recipe?.width && `${recipe.width} × ${recipe.height}`,
    recipe?.seed !== undefined && t("queue.seed", { seed: String(recipe.seed) }),
  ];
  return (
    <Flex
      as="button"
      data-job={job.id}
      aria-expanded={open}
      onClick={onToggle}
      align="center"
      gap="2"
      w="full"
      minH="11"
      textAlign="start"
      cursor="pointer"
      rounded="sm"
    >
      <ChevronRight size={16} aria-hidden style={{ flexShrink: 0, rotate: open ? "90deg" : "0deg" }} />
      <span style={{ minWidth: 0, flex: 1 }}>
        <Text as="span" display="block" truncate fontWeight="medium">
          {nameOf(job)}
        </Text>
        <Text as="span" display="block" truncate fontSize="xs" color="fg.muted">
          {line.filter(Boolean).join(" · ")}
        </Text>
      </span>
    </Flex>
  );
}

function Time({ job }: { job: Job }) {
  const seconds = secondsOf(job);
  const at = job.finished_at ?? job.started_at ?? job.created_at;
  return (
    <Text fontSize="xs" color="fg.muted">
      {formatAgo(at)}
      {seconds !== undefined && ` · ${formatSeconds(seconds)}`}
    </Text>
  );
}

export function JobRow({ job, mayWrite }: { job: Job; mayWrite: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Row gridTemplateColumns={{ base: "minmax(0, 1fr) auto", md: jobColumns }}>
        <Cell gridColumn={{ base: "1 / -1", md: "auto" }}>
          <What job={job} open={open} onToggle={() => setOpen(!open)} />
        </Cell>
        <Cell ps={{ base: "6", md: "0" }}>
          <State job={job} />
        </Cell>
        <Cell order={{ base: 1, md: 0 }} ps={{ base: "6", md: "0" }} color="fg.muted" fontSize="xs">
          {mayWrite && job.status === "queued" ? <PriorityChoice job={job} /> : t(`queue.priorityOf.${job.priority}`)}
        </Cell>
        <Cell textAlign={{ base: "end", md: "start" }}>
          <Time job={job} />
        </Cell>
        <Cell order={{ base: 2, md: 0 }} textAlign={{ base: "end", md: "start" }}>
          {mayWrite && <Actions job={job} />}
        </Cell>
        {job.error && (
          <Cell gridColumn="1 / -1" order="3" color="fg.error" fontSize="xs" ps="6">
            {job.error.message}
          </Cell>
        )}
      </Row>
      {open && (
        <Row borderTopWidth="0" bg="bg.subtle" rounded="md" gridTemplateColumns="minmax(0, 1fr)">
          <Cell gridColumn="1 / -1">
            <JobDetails job={job} />
          </Cell>
        </Row>
      )}
    </>
  );
}
