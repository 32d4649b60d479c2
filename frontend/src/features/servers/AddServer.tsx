// Adds a server by its address. It is asked who it is first; browsers forbid that for many, so it may be added unchecked.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { TextField } from "@/components/fields";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { checkServer, isMixed, originOf } from "./address";
import { useServers } from "./store";

type Trouble = "wrongAddress" | "sameServer" | "known" | "notCauldron";

function useAdding() {
  const { known, remember } = useServers();
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState<Trouble>();
  const [silent, setSilent] = useState<string>();
  const [busy, setBusy] = useState(false);
  const add = (url: string, version?: string) => {
    const name = new URL(url).host;
    remember({ url, name, version, seen: version ? new Date().toISOString() : undefined });
    setText("");
    setSilent(undefined);
    notify.done(t("servers.added", { name }));
  };
  const check = async () => {
    const url = originOf(text);
    setSilent(undefined);
    if (!url) return setTrouble("wrongAddress");
    if (url === location.origin) return setTrouble("sameServer");
    if (known.some((one) => one.url === url)) return setTrouble("known");
    setTrouble(undefined);
    setBusy(true);
    const found = await checkServer(url);
    setBusy(false);
    if (found.kind === "cauldron") add(url, found.answer.version);
    else if (found.kind === "other") setTrouble("notCauldron");
    else setSilent(url);
  };
  const type = (next: string) => {
    setText(next);
    setTrouble(undefined);
    setSilent(undefined);
  };
  return { text, type, trouble, silent, busy, check, add };
}

function Silent({ url, onAdd }: { url: string; onAdd: () => void }) {
  return (
    <Box role="alert" p="3" borderWidth="1px" rounded="md">
      <Text mb="2">{isMixed(url) ? t("servers.mixed") : t("servers.silent")}</Text>
      <Flex gap="2" wrap="wrap">
        <Button asChild size="xs" h={{ base: "10", md: "8" }} variant="outline">
          <a href={url} target="_blank" rel="noreferrer">
            {t("servers.open")}
          </a>
        </Button>
        <Button size="xs" h={{ base: "10", md: "8" }} variant="outline" onClick={onAdd}>
          {t("servers.addAnyway")}
        </Button>
      </Flex>
    </Box>
  );
}

export function AddServer() {
  const { text, type, trouble, silent, busy, check, add } = useAdding();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void check();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Flex direction="column" gap="3" maxW="md">
        <TextField
          label={t("servers.add")}
          placeholder={t("servers.addressExample")}
          hint={t("servers.addressHint")}
          error={trouble && t(`servers.${trouble}`)}
          value={text}
          onChange={(event) => type(event.target.value)}
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={300}
        />
        {silent && <Silent url={silent} onAdd={() => add(silent)} />}
        <Button type="submit" size="sm" alignSelf="start" loading={busy} disabled={!text.trim()}>
          {t("servers.check")}
        </Button>
      </Flex>
    </form>
  );
}
