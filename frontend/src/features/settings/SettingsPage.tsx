// What this browser remembers: the look, messages, what is kept here, other servers.
import { Flex, SimpleGrid } from "@chakra-ui/react";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { ServersPanel } from "@/features/servers/ServersPanel";
import { t } from "@/i18n";
import { InstallPanel } from "./Install";
import { LookPanel } from "./Look";
import { NotificationSettings } from "./NotificationSettings";
import { OfflinePanel } from "./Offline";

export function Component() {
  return (
    <Page title={t("settings.title")}>
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap="4" alignItems="start">
        <Flex direction="column" gap="4" minW="0">
          <LookPanel />
          <ServersPanel />
        </Flex>
        <Flex direction="column" gap="4" minW="0">
          <NotificationSettings />
          <InstallPanel />
          <OfflinePanel />
          <Panel title={t("settings.keyboard")} hint={t("settings.keyboardHint")} />
        </Flex>
      </SimpleGrid>
    </Page>
  );
}
