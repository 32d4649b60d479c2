// What came of a picture whose recipe was asked for; the file can become the start image either way.
import { Box, Button, CloseButton, Flex, Text } from "@chakra-ui/react";
import { FileCheck2, FileQuestion } from "lucide-react";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { useStudio } from "./store";
import type { useRecover } from "./useRecover";

export function RecoverBar({ recovering }: { recovering: ReturnType<typeof useRecover> }) {
  const set = useStudio((studio) => studio.set);
  const { data, error, isPending, reset } = recovering;
  if (isPending) return <Loading label={t("generate.reading")} />;
  if (error)
    return (
      <Flex gap="2" align="start">
        <Box flex="1" minW="0">
          <ProblemNotice error={error} title={t("generate.notRead")} />
        </Box>
        <CloseButton size="xs" aria-label={t("common.close")} onClick={reset} />
      </Flex>
    );
  if (!data) return null;
  const { file, recovered } = data;
  const Icon = recovered ? FileCheck2 : FileQuestion;
  return (
    <Flex role="status" gap="3" p="3" borderWidth="1px" rounded="md" bg="bg.panel" align="start">
      <Box pt="0.5" color={recovered ? "fg.success" : "fg.warning"} aria-hidden>
        <Icon size={18} />
      </Box>
      <Box flex="1" minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {t(recovered ? "generate.recovered" : "generate.noRecipe", { name: file.name })}
        </Text>
        <Text color="fg.muted" fontSize="xs">
          {t(
            !recovered ? "generate.noRecipeHelp" : recovered.hadStart ? "generate.hadStart" : "generate.recoveredHelp",
          )}
        </Text>
        <Button
          mt="2"
          size="xs"
          variant="outline"
          onClick={() => {
            set({ start: file });
            reset();
          }}
        >
          {t("generate.useAsStart")}
        </Button>
      </Box>
      <CloseButton size="xs" aria-label={t("common.close")} onClick={reset} />
    </Flex>
  );
}
