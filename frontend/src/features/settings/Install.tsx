import { Button, Text } from "@chakra-ui/react";
import { Panel } from "@/components/Panel";
import { t } from "@/i18n";
import { install, installWay, useInstall } from "@/pwa/install";

const texts = {
  installed: "settings.installed",
  insecure: "settings.installInsecure",
  ios: "settings.installIos",
  menu: "settings.installOther",
} as const;

export function InstallPanel() {
  const { prompt, installed } = useInstall();
  const way = installWay({
    standalone: installed || matchMedia("(display-mode: standalone)").matches,
    secure: globalThis.isSecureContext,
    prompt: prompt !== undefined,
    agent: navigator.userAgent,
  });
  return (
    <Panel title={t("settings.install")} hint={t("settings.installHint")}>
      {way === "prompt" ? (
        <Button size="sm" onClick={() => void install()}>
          {t("settings.installNow")}
        </Button>
      ) : (
        <Text>{t(texts[way])}</Text>
      )}
    </Panel>
  );
}
