// A line on top of the page when a newer version of the app waits.
import { Button, Flex, Text } from "@chakra-ui/react";
import { t } from "@/i18n";
import { updateNow, useWorker } from "./register";

export function InstallHints() {
  const waiting = useWorker((state) => state.waiting);
  if (!waiting) return null;
  return (
    <Flex role="status" align="center" gap="3" px="4" py="2" bg="brand.subtle" fontSize="xs">
      <Text flex="1">{t("common.updateReady")}</Text>
      <Button size="xs" onClick={updateNow}>
        {t("common.updateNow")}
      </Button>
    </Flex>
  );
}
