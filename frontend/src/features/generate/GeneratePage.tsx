import { Page } from "@/components/Page";
import { t } from "@/i18n";

export function Component() {
  return <Page title={t("generate.title")}>{null}</Page>;
}
