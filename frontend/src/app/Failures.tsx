// Pages for what should not happen: a wrong address, a mistake of the app.
import { Box, Button, Link as ChakraLink } from "@chakra-ui/react";
import { Compass } from "lucide-react";
import { Link, useRouteError } from "react-router";
import { Page } from "@/components/Page";
import { Empty, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";

export function NotFound() {
  return (
    <Page title={t("common.notFound")}>
      <Empty icon={<Compass size={40} />} title={t("common.notFound")}>
        {t("common.notFoundHelp")}{" "}
        <ChakraLink asChild colorPalette="brand" textDecoration="underline">
          <Link to="/">{t("common.nav.generate")}</Link>
        </ChakraLink>
      </Empty>
    </Page>
  );
}

export function Broken() {
  const error = useRouteError();
  return (
    <Box p="6" maxW="xl" mx="auto">
      <ProblemNotice error={error} title={t("common.problem.unexpected")} />
      <Button mt="4" size="sm" onClick={() => location.reload()}>
        {t("common.problem.reload")}
      </Button>
    </Box>
  );
}
