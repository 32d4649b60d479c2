// Adds a server by its address. The page may speak to its own server alone, so it asks nobody who is there: opening does.
import { Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { TextField } from "@/components/fields";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { originOf } from "./address";
import { useServers } from "./store";

type Trouble = "wrongAddress" | "sameServer" | "known";

function useAdding() {
  const { known, remember } = useServers();
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState<Trouble>();
  const add = () => {
    const url = originOf(text);
    if (!url) return setTrouble("wrongAddress");
    if (url === location.origin) return setTrouble("sameServer");
    if (known.some((one) => one.url === url)) return setTrouble("known");
    const name = new URL(url).host;
    remember({ url, name });
    setText("");
    notify.done(t("servers.added", { name }));
  };
  const type = (next: string) => {
    setText(next);
    setTrouble(undefined);
  };
  return { text, type, trouble, add };
}

export function AddServer() {
  const { text, type, trouble, add } = useAdding();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add();
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
        <Button type="submit" size="sm" alignSelf="start" disabled={!text.trim()}>
          {t("servers.addIt")}
        </Button>
      </Flex>
    </form>
  );
}
