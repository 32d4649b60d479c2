import { Box } from "@chakra-ui/react";
import { t } from "@/i18n";
import { amounts, progressText, type Task } from "./tasks";

/** How far a task is: what succeeded, what failed; faint while the whole is not known. */
export function Bar({ task }: { task: Task }) {
  const { done, total } = amounts(task);
  const share = total ? Math.min(1, done / total) : undefined;
  const failed = done ? (task.counts.failed + task.counts.cancelled) / done : 0;
  return (
    <Box
      role="progressbar"
      aria-label={t("tasks.progressOf", { name: task.name })}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
      aria-valuetext={progressText(task)}
      display="flex"
      h="2"
      my="2"
      rounded="full"
      overflow="hidden"
      bg="bg.emphasized"
    >
      <Box
        bg="brand.solid"
        opacity={share === undefined ? 0.4 : 1}
        transition="width 0.2s"
        style={{ width: `${(share ?? 1) * (1 - failed) * 100}%` }}
      />
      <Box bg="red.solid" transition="width 0.2s" style={{ width: `${(share ?? 0) * failed * 100}%` }} />
    </Box>
  );
}
