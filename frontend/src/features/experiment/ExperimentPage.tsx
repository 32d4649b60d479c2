import { Outlet } from "react-router";
import { Page } from "@/components/Page";
import { t } from "@/i18n";

export function Component() {
  return (
    <Page title={t("experiments.title")}>
      <Outlet />
    </Page>
  );
}
