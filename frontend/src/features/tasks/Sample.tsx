// The records that were drawn first, and the question whether the rest shall follow.
import { Box, Button, Flex } from "@chakra-ui/react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { useMe } from "@/api/me";
import { gridQuery } from "@/api/queries";
import { ConfirmButton } from "@/components/ConfirmButton";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { Thumb } from "@/components/Thumb";
import { t } from "@/i18n";
import { useShow } from "./Actions";
import { approve, type Task } from "./tasks";

const side = 96;

function Pictures({ experiment, waiting }: { experiment: string; waiting: boolean }) {
  const { data } = useInfiniteQuery({ ...gridQuery(experiment), refetchInterval: waiting ? false : 2000 });
  const cells = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Flex as="ul" listStyleType="none" gap="2" wrap="wrap" mb="3">
      {cells.map((cell) => (
        <Box as="li" key={cell.id} boxSize={`${side}px`} rounded="md" overflow="hidden" bg="bg.muted">
          <Link to={`?view=${cell.id}`} preventScrollReset>
            <Thumb generation={cell} size={side} />
          </Link>
        </Box>
      ))}
    </Flex>
  );
}

function Decide({ task }: { task: Task }) {
  const show = useShow();
  const yes = useMutation({
    mutationFn: () => approve(task.id, true),
    onSuccess: show,
    onError: (error) => notify.error(error),
  });
  return (
    <>
      <Button h="11" loading={yes.isPending} onClick={() => yes.mutate()}>
        {t("tasks.approve")}
      </Button>
      <ConfirmButton
        size="md"
        h="11"
        title={t("tasks.rejectTitle")}
        text={t("tasks.cancelText")}
        action={t("tasks.reject")}
        onConfirm={async () => show(await approve(task.id, false))}
      >
        {t("tasks.reject")}
      </ConfirmButton>
    </>
  );
}

export function Sample({ task }: { task: Task }) {
  const { mayWrite } = useMe();
  const experiment = task.experiment_id;
  if (!experiment) return null;
  const waiting = task.status === "awaiting_approval";
  const drawing = !waiting && task.phase === "canary";
  return (
    <Panel
      title={t("tasks.sample")}
      hint={
        waiting
          ? t("tasks.sampleText", { n: Number((task.document.canary as { count?: number })?.count ?? 0) })
          : t(drawing ? "tasks.sampleDrawing" : "tasks.sampleDone")
      }
    >
      <Pictures experiment={experiment} waiting={!drawing} />
      <Flex gap="2" wrap="wrap" align="center">
        {waiting && mayWrite && <Decide task={task} />}
        <Button asChild variant="ghost" h="11">
          <Link to={`/experiments/${experiment}/grid`}>{t("tasks.sampleOpen")}</Link>
        </Button>
      </Flex>
    </Panel>
  );
}
