// What this browser keeps for times without a connection, and what waits to be sent.
import { Button, Flex, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ConfirmButton } from "@/components/ConfirmButton";
import { Facts } from "@/components/Facts";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { formatBytes, formatNumber, t } from "@/i18n";
import { forgetKept, keptPictures } from "@/pwa/kept";
import { drain, forgetOutbox, useOutbox } from "@/pwa/outbox";

const keptKey = ["kept-here"];

async function look(): Promise<{ pictures: number; bytes?: number }> {
  const pictures = await keptPictures();
  const bytes = (await navigator.storage?.estimate?.().catch(() => undefined))?.usage;
  return { pictures, bytes };
}

function Waiting() {
  const n = useOutbox((state) => state.waiting.length);
  if (!n) return null;
  return (
    <Flex gap="2" wrap="wrap" mt="3">
      <Button size="sm" variant="outline" onClick={() => void drain()}>
        {t("settings.sendNow")}
      </Button>
      <ConfirmButton
        size="sm"
        title={t("settings.dropTitle", { n })}
        text={t("settings.dropText")}
        action={t("settings.drop")}
        onConfirm={async () => forgetOutbox()}
      >
        {t("settings.drop")}
      </ConfirmButton>
    </Flex>
  );
}

export function OfflinePanel() {
  const client = useQueryClient();
  // Of this browser, so also without a connection.
  const { data } = useQuery({ queryKey: keptKey, queryFn: look, staleTime: 0, networkMode: "always" });
  const n = useOutbox((state) => state.waiting.length);
  const clear = async () => {
    await forgetKept();
    await client.invalidateQueries({ queryKey: keptKey });
    notify.done(t("settings.cleared"));
  };
  const canKeep = "caches" in globalThis;
  return (
    <Panel title={t("settings.offline")} hint={t("settings.offlineHint")}>
      {!canKeep && <Text mb="2">{t("settings.cannotKeep")}</Text>}
      <Facts
        items={[
          [t("settings.keptPictures"), canKeep && data ? formatNumber(data.pictures) : undefined],
          [t("settings.keptSpace"), data?.bytes === undefined ? undefined : formatBytes(data.bytes)],
          [t("settings.waiting"), n ? t("settings.waitingOf", { n }) : t("settings.nothingWaits")],
        ]}
      />
      <Waiting />
      {canKeep && (
        <ConfirmButton
          mt="3"
          size="sm"
          title={t("settings.clearTitle")}
          text={t("settings.clearText")}
          action={t("settings.clear")}
          onConfirm={clear}
        >
          {t("settings.clear")}
        </ConfirmButton>
      )}
    </Panel>
  );
}
