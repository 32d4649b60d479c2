import { Box } from "@chakra-ui/react";
import { type ModelTask, progressText, shareOf, taskName } from "./models";

/** How far a task is; striped while the whole is not known. */
export function Bar({ task }: { task: ModelTask }) {
  const share = shareOf(task);
  return (
    <Box
      role="progressbar"
      aria-label={taskName(task)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
      aria-valuetext={progressText(task)}
      h="1.5"
      my="2"
      rounded="full"
      overflow="hidden"
      bg="bg.emphasized"
    >
      <Box
        h="full"
        bg="brand.solid"
        opacity={share === undefined ? 0.4 : 1}
        transition="width 0.2s"
        style={{ width: `${(share ?? 1) * 100}%` }}
      />
    </Box>
  );
}
