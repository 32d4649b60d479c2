// Why nothing was drawn, beside the button that was pressed, with the way out.
import { Box, Button, Code, Flex } from "@chakra-ui/react";
import type { Problem } from "@/api/client";
import { CopyButton } from "@/components/CopyButton";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { useStudio } from "./store";

/** The command that gets the model stands in quotes in the detail; it is shown as one that can be copied. */
const pullCommand = (detail: string): string | undefined => /'(cauldron models pull [^']+)'/.exec(detail)?.[1];

export function DrawProblem({ problem, onModel }: { problem: Problem; onModel: () => void }) {
  const { draft, set } = useStudio();
  const installed = Array.isArray(problem.body.models) ? problem.body.models.map(String) : [];
  const command = pullCommand(problem.message);
  return (
    <Box>
      <ProblemNotice error={problem} title={t("generate.failed")} />
      {problem.code === "model_not_found" && (
        <Flex direction="column" gap="2" mt="2">
          {command && (
            <Flex gap="2" align="center">
              <Code size="sm" flex="1" minW="0" overflowWrap="anywhere">
                {command}
              </Code>
              <CopyButton text={command} />
            </Flex>
          )}
          <Flex gap="2" wrap="wrap">
            {installed.map((name) => (
              <Button
                key={name}
                size="xs"
                variant="outline"
                onClick={() => {
                  set({ draft: { ...draft, model: name } });
                  onModel();
                }}
              >
                {t("generate.useModel", { name })}
              </Button>
            ))}
          </Flex>
        </Flex>
      )}
    </Box>
  );
}
