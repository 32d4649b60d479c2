// Lines on top of the page: a newer version of the app waits; changes wait to be sent; some were refused.
import { Button, Flex, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { t } from "@/i18n";
import { useOutbox } from "./outbox";
import { updateNow, useWorker } from "./register";

function Line({ children, action }: { children: string; action?: ReactNode }) {
  return (
    <Flex role="status" align="center" gap="3" px="4" py="2" bg="brand.subtle" fontSize="xs">
      <Text flex="1">{children}</Text>
      {action}
    </Flex>
  );
}

export function InstallHints() {
  const update = useWorker((state) => state.waiting);
  const { waiting, refused } = useOutbox();
  const first = refused[0];
  return (
    <>
      {update && (
        <Line
          action={
            <Button size="xs" onClick={updateNow}>
              {t("common.updateNow")}
            </Button>
          }
        >
          {t("common.updateReady")}
        </Line>
      )}
      {waiting.length > 0 && <Line>{t("pwa.waiting", { n: waiting.length })}</Line>}
      {first && (
        <Line
          action={
            <Button size="xs" variant="outline" onClick={() => useOutbox.setState({ refused: refused.slice(1) })}>
              {t("pwa.dismiss")}
            </Button>
          }
        >
          {t("pwa.refused", { why: first.problem.message })}
        </Line>
      )}
    </>
  );
}
