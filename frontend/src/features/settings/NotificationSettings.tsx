// Messages when an experiment ends (Web Push), for this browser.
import { Button, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { Panel } from "@/components/Panel";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { usePush } from "@/pwa/push";

type Result = { status: number; detail?: string | null };

function TestResult({ result }: { result: Result }) {
  if (result.status >= 200 && result.status < 300) return <Text color="fg.success">{t("settings.push.sent")}</Text>;
  const said = result.status ? t("settings.push.answered", { status: result.status }) : t("settings.push.unreached");
  return (
    <ProblemNotice
      title={t("settings.push.notSent")}
      error={new Error([said, result.detail].filter(Boolean).join(" "))}
    />
  );
}

export function NotificationSettings() {
  const { state, busy, error, enable, disable, test } = usePush();
  const [result, setResult] = useState<Result>();
  const act = (work: () => Promise<unknown>) => {
    setResult(undefined);
    void work();
  };
  const button = { size: "sm", variant: "outline", disabled: busy } as const;
  return (
    <Panel title={t("settings.notifications")} hint={t("settings.notificationsHint")}>
      <Flex direction="column" gap="3">
        <Text role="status">{t(`settings.push.${state}`)}</Text>
        <Flex gap="2" wrap="wrap">
          {state === "off" && (
            <Button size="sm" loading={busy} onClick={() => act(enable)}>
              {t("settings.push.enable")}
            </Button>
          )}
          {state === "on" && (
            <>
              <Button {...button} onClick={() => act(async () => setResult(await test()))}>
                {t("settings.push.test")}
              </Button>
              <Button {...button} onClick={() => act(disable)}>
                {t("settings.push.disable")}
              </Button>
            </>
          )}
        </Flex>
        <div role="status">{result && <TestResult result={result} />}</div>
        {error !== undefined && <ProblemNotice error={error} />}
      </Flex>
    </Panel>
  );
}
