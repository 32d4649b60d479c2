// What can be done with a task.
import { Button, Flex } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, Pause, Play, RotateCcw, Square } from "lucide-react";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { useMe } from "@/api/me";
import { ActionMenu } from "@/components/ActionMenu";
import { ConfirmButton } from "@/components/ConfirmButton";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import {
  type Action,
  act,
  askAgain,
  forget,
  hasEnded,
  possible,
  retry,
  showTask,
  type Task,
  tasksQuery,
} from "./tasks";

const icons: Record<Action, ReactNode> = {
  pause: <Pause size={16} aria-hidden />,
  resume: <Play size={16} aria-hidden />,
  cancel: <Square size={16} aria-hidden />,
  run: <RotateCcw size={16} aria-hidden />,
};
const touch = { base: "11", md: "9" } as const;

export function useShow() {
  const client = useQueryClient();
  return (task: Task) => {
    showTask(client, task);
    askAgain(client, task.id);
  };
}

function Cancel({ task }: { task: Task }) {
  const show = useShow();
  return (
    <ConfirmButton
      size="sm"
      h={touch}
      title={t("tasks.cancelTitle")}
      text={t("tasks.cancelText")}
      action={t("tasks.cancelDo")}
      onConfirm={async () => show(await act.cancel(task.id))}
    >
      {icons.cancel}
      {t("tasks.act.cancel")}
    </ConfirmButton>
  );
}

function Forget({ task }: { task: Task }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <ConfirmButton
      size="sm"
      h={touch}
      title={t("tasks.deleteTitle")}
      text={t("tasks.deleteText")}
      action={t("tasks.act.delete")}
      onConfirm={async () => {
        await forget(task.id);
        void client.invalidateQueries({ queryKey: tasksQuery.queryKey });
        notify.done(t("tasks.deleted", { name: task.name }));
        navigate("/tasks");
      }}
    >
      {t("tasks.act.delete")}
    </ConfirmButton>
  );
}

function Export({ id }: Pick<Task, "id">) {
  const href = (format: string) => `/api/v1/tasks/${id}/export?format=${format}`;
  return (
    <ActionMenu
      size="sm"
      variant="outline"
      h={touch}
      items={[
        { label: t("tasks.exportCsv"), href: href("csv") },
        { label: t("tasks.exportJsonl"), href: href("jsonl") },
      ]}
    >
      <Download size={16} aria-hidden />
      {t("tasks.export")}
    </ActionMenu>
  );
}

export function Actions({ task }: { task: Task }) {
  const { mayWrite } = useMe();
  const show = useShow();
  const change = useMutation({
    mutationFn: (action: Action) => act[action](task.id),
    onSuccess: show,
    onError: (error) => notify.error(error),
  });
  const again = useMutation({
    mutationFn: () => retry(task.id),
    onSuccess: (now) => {
      show(now);
      notify.done(t("tasks.retried"));
    },
    onError: (error) => notify.error(error),
  });
  const actions = possible(task);
  return (
    <Flex gap="2" wrap="wrap">
      {mayWrite &&
        actions
          .filter((action) => action !== "cancel")
          .map((action) => (
            <Button
              key={action}
              size="sm"
              h={touch}
              variant="outline"
              loading={change.isPending && change.variables === action}
              disabled={change.isPending}
              onClick={() => change.mutate(action)}
            >
              {icons[action]}
              {t(`tasks.act.${action}`)}
            </Button>
          ))}
      {mayWrite && actions.includes("cancel") && <Cancel task={task} />}
      {mayWrite && task.counts.failed > 0 && (
        <Button size="sm" h={touch} variant="outline" loading={again.isPending} onClick={() => again.mutate()}>
          {t("tasks.act.retry")}
        </Button>
      )}
      <Export id={task.id} />
      {mayWrite && hasEnded(task) && <Forget task={task} />}
    </Flex>
  );
}
