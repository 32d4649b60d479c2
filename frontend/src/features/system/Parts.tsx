// Version, providers, workers.
import { Badge, Box, Button, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import type { Schemas } from "@/api/client";
import { versionQuery } from "@/api/queries";
import { Facts } from "@/components/Facts";
import { Cell, Row, Rows } from "@/components/Rows";
import { formatAgo, formatNumber, t } from "@/i18n";
import { Asked } from "./Asked";
import { numberOf, providersQuery, workersQuery } from "./health";

type Worker = Schemas["WorkerList"]["items"][number];
type Provider = Schemas["ProviderList"]["items"][number];

const links = [
  ["/docs", "system.docs"],
  ["/openapi.yaml", "system.openapi"],
  ["/metrics", "system.metrics"],
] as const;

export function VersionPanel() {
  const query = useQuery(versionQuery);
  return (
    <Asked title={t("system.version")} query={query}>
      {(version) => (
        <>
          <Facts
            items={[
              [t("system.program"), `${version.name ?? ""} ${version.version}`.trim()],
              [t("system.contract"), version.api],
              [t("system.build"), version.build],
              [t("system.page"), location.host],
            ]}
          />
          <Text color="fg.muted" mt="3" mb="2">
            {t("system.linksHint")}
          </Text>
          <Flex gap="2" wrap="wrap" as="nav" aria-label={t("system.links")}>
            {links.map(([href, label]) => (
              <Button key={href} asChild size="xs" h={{ base: "10", md: "8" }} variant="outline">
                <a href={href} target="_blank" rel="noreferrer">
                  {t(label)}
                  <ExternalLink size={14} aria-hidden />
                </a>
              </Button>
            ))}
          </Flex>
        </>
      )}
    </Asked>
  );
}

function ProviderItem({ provider }: { provider: Provider }) {
  const ready = provider.available !== false;
  return (
    <Box as="li" py="2" borderTopWidth="1px" _first={{ borderTopWidth: 0, pt: 0 }}>
      <Flex gap="2" align="center" wrap="wrap">
        <Text fontWeight="medium">
          {provider.name} {provider.version}
        </Text>
        <Badge variant="outline" colorPalette={ready ? "green" : "red"}>
          {t(ready ? "system.available" : "system.unavailable")}
        </Badge>
        {provider.models !== undefined && <Text color="fg.muted">{t("system.models", { n: provider.models })}</Text>}
      </Flex>
      {provider.detail && <Text color={ready ? "fg.muted" : "fg.error"}>{provider.detail}</Text>}
      <Text color="fg.muted" fontSize="xs">
        {provider.capabilities?.join(", ")}
      </Text>
    </Box>
  );
}

export function ProvidersPanel() {
  const query = useQuery(providersQuery);
  return (
    <Asked title={t("system.providers")} hint={t("system.providersHint")} query={query}>
      {({ items }) => (
        <Box as="ul" listStyleType="none">
          {items.map((provider) => (
            <ProviderItem key={provider.name} provider={provider} />
          ))}
        </Box>
      )}
    </Asked>
  );
}

function work(worker: Worker): string {
  const finished = numberOf(worker.finished);
  const rate = numberOf(worker.steps_per_second);
  return [
    finished !== undefined &&
      t("system.drawn", { done: formatNumber(finished), failed: formatNumber(numberOf(worker.failed) ?? 0) }),
    rate ? t("system.rate", { n: rate }) : false,
  ]
    .filter(Boolean)
    .join(" · ");
}

function WorkerRow({ worker }: { worker: Worker }) {
  return (
    <Row>
      <Cell>
        <Text fontWeight="medium" overflowWrap="anywhere">
          {worker.host ?? worker.id}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {[worker.device, worker.id].filter(Boolean).join(" · ")}
        </Text>
      </Cell>
      <Cell label={t("system.busy")}>{t("system.busyOf", { busy: worker.busy ?? 0, slots: worker.slots ?? 1 })}</Cell>
      <Cell label={t("system.done")}>
        {work(worker)}
        {worker.models && (
          <Text fontSize="xs" color="fg.muted">
            {t("system.holds")}: {worker.models.join(", ") || t("system.nothing")}
          </Text>
        )}
      </Cell>
      <Cell label={t("system.seen")}>{worker.seen_at ? formatAgo(worker.seen_at) : t("common.unknown")}</Cell>
    </Row>
  );
}

export function WorkersPanel() {
  const query = useQuery(workersQuery);
  return (
    <Asked title={t("system.workers")} hint={t("system.workersHint")} query={query}>
      {({ items }) =>
        items.length ? (
          <Rows
            label={t("system.workers")}
            columns="minmax(0, 1fr) 4rem minmax(0, 1fr) 6rem"
            names={[t("system.worker"), t("system.busy"), t("system.done"), t("system.seen")]}
          >
            {items.map((worker) => (
              <WorkerRow key={worker.id} worker={worker} />
            ))}
          </Rows>
        ) : (
          <Text color="fg.warning">{t("system.noWorkers")}</Text>
        )
      }
    </Asked>
  );
}
