// How the server is, what it runs on, who draws for it. Asked again every few seconds while the page is seen; a section
// that cannot be asked says so without hiding the others.
import { Flex, SimpleGrid } from "@chakra-ui/react";
import { Page } from "@/components/Page";
import { t } from "@/i18n";
import { HardwarePanel } from "./Hardware";
import { HealthPanel } from "./Health";
import { ProvidersPanel, VersionPanel, WorkersPanel } from "./Parts";

export function Component() {
  return (
    <Page title={t("system.title")}>
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap="4" alignItems="start">
        <Flex direction="column" gap="4" minW="0">
          <HealthPanel />
          <WorkersPanel />
          <ProvidersPanel />
        </Flex>
        <Flex direction="column" gap="4" minW="0">
          <VersionPanel />
          <HardwarePanel />
        </Flex>
      </SimpleGrid>
    </Page>
  );
}
