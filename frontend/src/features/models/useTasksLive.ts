// Keeps the list of downloads and checks with the server, and says when one has ended.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { modelsQuery } from "@/api/queries";
import { listen } from "@/api/socket";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { isRunning, type ModelTask, showTask, taskName, tasksQuery } from "./models";

function announce(task: ModelTask): void {
  const title = taskName(task);
  if (task.status === "succeeded")
    notify.done(t(task.kind === "pull" ? "models.pulled" : "models.verified", { model: task.model }));
  if (task.status === "failed")
    notify.error(new Error(task.error?.message ?? title), t("models.taskFailed", { task: title }));
}

export function useTasksLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    const onTask = (task: ModelTask) => {
      const before = client.getQueryData(tasksQuery.queryKey)?.items.find((one) => one.id === task.id);
      showTask(client, task);
      if (isRunning(task) || (before && !isRunning(before))) return;
      announce(task);
      void client.invalidateQueries({ queryKey: modelsQuery.queryKey });
    };
    return listen(["models"], { "model-task": onTask }, () => {
      void client.invalidateQueries({ queryKey: tasksQuery.queryKey });
      void client.invalidateQueries({ queryKey: modelsQuery.queryKey });
    });
  }, [client]);
}
