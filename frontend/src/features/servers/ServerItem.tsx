import { Badge, Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { notify } from "@/components/notify";
import { formatAgo, t } from "@/i18n";
import { type Listed, useServers } from "./store";

function Rename({ server, onDone }: { server: Listed; onDone: () => void }) {
  const { rename } = useServers();
  const [name, setName] = useState(server.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) rename(server.url, name.trim());
    onDone();
  };
  return (
    <form onSubmit={submit} style={{ display: "flex", gap: "0.5rem" }}>
      <Input
        aria-label={t("servers.newName")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && onDone()}
        size="sm"
        fontSize={{ base: "md", md: "sm" }}
        maxLength={60}
        autoFocus
      />
      <Button type="submit" size="sm">
        {t("common.save")}
      </Button>
    </form>
  );
}

function Actions({ server, onRename }: { server: Listed; onRename: () => void }) {
  const { remember, forget } = useServers();
  const { name, url, version, seen } = server;
  const button = { size: "xs", h: { base: "10", md: "8" } } as const;
  const drop = () => {
    forget(url);
    notify.undo(t("servers.forgotten", { name }), () => remember({ url, name, version, seen }));
  };
  return (
    <Flex gap="2" wrap="wrap">
      <Button asChild {...button}>
        <a href={url} aria-label={t("servers.openOf", { name })}>
          {t("servers.open")}
        </a>
      </Button>
      {server.isKnown ? (
        <>
          <Button {...button} variant="outline" aria-label={t("servers.renameOf", { name })} onClick={onRename}>
            {t("servers.rename")}
          </Button>
          <Button {...button} variant="outline" aria-label={t("servers.forgetOf", { name })} onClick={drop}>
            {t("servers.forget")}
          </Button>
        </>
      ) : (
        <Button
          {...button}
          variant="outline"
          aria-label={t("servers.keepOf", { name })}
          onClick={() => remember({ url, name, version, seen })}
        >
          {t("servers.keep")}
        </Button>
      )}
    </Flex>
  );
}

export function ServerItem({ server }: { server: Listed }) {
  const [renaming, setRenaming] = useState(false);
  const about = [
    new URL(server.url).host,
    server.version && t("servers.version", { version: server.version }),
    server.seen && t("servers.seenAgo", { ago: formatAgo(server.seen) }),
  ];
  return (
    <Flex as="li" gap="3" wrap="wrap" align="center" py="2.5" borderTopWidth="1px">
      <Box flex="1" minW="48">
        {renaming ? (
          <Rename server={server} onDone={() => setRenaming(false)} />
        ) : (
          <Text fontWeight="medium" overflowWrap="anywhere">
            {server.name}{" "}
            {server.isHeard && (
              <Badge variant="outline" colorPalette="green">
                {t("servers.heard")}
              </Badge>
            )}
          </Text>
        )}
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {about.filter(Boolean).join(" · ")}
        </Text>
      </Box>
      <Actions server={server} onRename={() => setRenaming(true)} />
    </Flex>
  );
}
