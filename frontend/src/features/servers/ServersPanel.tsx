// Servers: this one, the remembered ones, those that this one hears on its network.
import { Badge, Box, Button, Text } from "@chakra-ui/react";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useEffect } from "react";
import { api, call, type Schemas } from "@/api/client";
import { versionQuery } from "@/api/queries";
import { Panel } from "@/components/Panel";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { AddServer } from "./AddServer";
import { ServerItem } from "./ServerItem";
import { listed, useServers } from "./store";

const discoveryQuery = queryOptions({
  queryKey: ["discovery"],
  queryFn: () => call(api.GET("/api/v1/discovery")),
  refetchInterval: 15_000,
  retry: false,
});

function This({ discovery }: { discovery: Schemas["Discovery"] | undefined }) {
  const { data } = useQuery(versionQuery);
  const version = discovery?.self.version ?? data?.version;
  return (
    <Box as="li" py="2.5">
      <Text fontWeight="medium" overflowWrap="anywhere">
        {discovery?.self.name ?? location.host} <Badge variant="outline">{t("servers.this")}</Badge>
      </Text>
      <Text fontSize="xs" color="fg.muted">
        {[location.host, version && t("servers.version", { version })].filter(Boolean).join(" · ")}
      </Text>
    </Box>
  );
}

/** Why nobody is heard, or why nobody hears us. */
function Reasons({ discovery }: { discovery: Schemas["Discovery"] }) {
  if (discovery.available && discovery.announced) return null;
  const why = discovery.detail ?? t("servers.offUnknown");
  return (
    <Text color="fg.muted" mt="2">
      {t(discovery.available ? "servers.notAnnounced" : "servers.off")} {why}
    </Text>
  );
}

/** What is heard of remembered ones is remembered with them. */
function useNews(heard: Schemas["DiscoveredServer"][]) {
  const { known, remember } = useServers();
  useEffect(() => {
    for (const one of listed(known, heard)) {
      const old = known.find(({ url }) => url === one.url);
      if (old && one.isHeard && (old.seen !== one.seen || old.version !== one.version)) {
        const { url, name, version, seen } = one;
        remember({ url, name, version, seen });
      }
    }
  }, [known, heard, remember]);
}

const nobody: Schemas["DiscoveredServer"][] = [];

export function ServersPanel() {
  const { data, error, refetch, isFetching } = useQuery(discoveryQuery);
  const known = useServers((state) => state.known);
  const heard = data?.items ?? nobody;
  useNews(heard);
  const others = listed(known, heard).filter((one) => one.url !== location.origin);
  return (
    <Panel
      id="servers"
      title={t("servers.title")}
      hint={t("servers.hint")}
      actions={
        <Button size="xs" variant="outline" loading={isFetching} onClick={() => void refetch()}>
          <RefreshCw size={14} aria-hidden />
          {t("servers.look")}
        </Button>
      }
    >
      <Box as="ul" listStyleType="none">
        <This discovery={data} />
        {others.map((server) => (
          <ServerItem key={server.url} server={server} />
        ))}
      </Box>
      {others.length === 0 && (
        <Text color="fg.muted" mb="2">
          {t("servers.none")} {t("servers.noneHelp")}
        </Text>
      )}
      {error && <ProblemNotice error={error} title={t("servers.off")} retry={() => void refetch()} />}
      {data && <Reasons discovery={data} />}
      <Box mt="4">
        <AddServer />
      </Box>
    </Panel>
  );
}
