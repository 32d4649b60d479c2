// Keeps tasks with the server. Events are hints: what was sent while the connection was away is asked again.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { listen } from "@/api/socket";
import { askAgain, hasEnded, showTask, type Task, taskQuery, tasksQuery } from "./tasks";

/** `ids`: those that are looked at; joined into one text, so that a new list of the same ids changes nothing. */
export function useTaskLive(ids: string[]): void {
  const client = useQueryClient();
  const all = ids.join(" ");
  useEffect(() => {
    const wanted = all.split(" ").filter(Boolean);
    if (!wanted.length) return;
    const onTask = (task: Task) => {
      const before = client.getQueryData(taskQuery(task.id).queryKey);
      showTask(client, task);
      if (before && (before.ended !== task.ended || hasEnded(before) !== hasEnded(task))) askAgain(client, task.id);
    };
    return listen(
      wanted.map((id) => `task:${id}`),
      Object.fromEntries(wanted.map((id) => [`task:${id}:progress`, onTask])),
      () => {
        void client.invalidateQueries({ queryKey: tasksQuery.queryKey });
        for (const id of wanted) void client.invalidateQueries({ queryKey: taskQuery(id).queryKey });
      },
    );
  }, [client, all]);
}
