// One's own API keys.
import { Badge, Box, Button, Code, Flex, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { ConfirmButton } from "@/components/ConfirmButton";
import { CopyButton } from "@/components/CopyButton";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { Loading, ProblemNotice } from "@/components/states";
import { formatAgo, formatTime, t } from "@/i18n";
import { KeyForm } from "./KeyForm";
import { type ApiKey, keyState, keysQuery, type Role } from "./people";

/** The one time that the secret is seen. */
function Secret({ made, onDone }: { made: Schemas["ApiKeyCreated"]; onDone: () => void }) {
  const example = `curl -H 'Authorization: Bearer ${made.key}' ${location.origin}/api/v1/me`;
  return (
    <Box role="alert" p="4" mb="4" borderWidth="2px" borderColor="brand.solid" rounded="lg" bg="brand.subtle">
      <Text fontWeight="semibold">{t("people.secret", { name: made.api_key.name })}</Text>
      <Text mb="3">{t("people.secretHint")}</Text>
      <Flex gap="2" align="center" wrap="wrap" mb="3">
        <Code data-secret px="2" py="1.5" overflowWrap="anywhere" whiteSpace="normal" userSelect="all">
          {made.key}
        </Code>
        <CopyButton text={made.key} autoFocus />
      </Flex>
      <Text mb="1">{t("people.secretUse")}</Text>
      <Code display="block" p="2" overflowWrap="anywhere" whiteSpace="pre-wrap" mb="3">
        {example}
      </Code>
      <Button size="sm" variant="outline" onClick={onDone}>
        {t("people.secretDone")}
      </Button>
    </Box>
  );
}

function KeyRow({ apiKey, now }: { apiKey: ApiKey; now: number }) {
  const client = useQueryClient();
  const { name } = apiKey;
  const state = keyState(apiKey, now);
  const revoke = async () => {
    await call(api.DELETE("/api/v1/api-keys/{id}", { params: { path: { id: apiKey.id } } }));
    notify.done(t("people.revoked"));
    await client.invalidateQueries({ queryKey: keysQuery.queryKey });
  };
  return (
    <Row>
      <Cell>
        <Text fontWeight="medium">
          {name}{" "}
          {state && (
            <Badge variant="outline" colorPalette="red">
              {t(`people.keyState.${state}`)}
            </Badge>
          )}
        </Text>
        <Text fontFamily="mono" fontSize="xs" color="fg.muted">
          {apiKey.prefix}…
        </Text>
      </Cell>
      <Cell label={t("people.scopes")}>{apiKey.scopes.map((scope) => t(`people.scope.${scope}`)).join("; ")}</Cell>
      <Cell label={t("people.made")}>{formatAgo(apiKey.created_at)}</Cell>
      <Cell label={t("people.used")}>{apiKey.used_at ? formatAgo(apiKey.used_at) : t("people.neverUsed")}</Cell>
      <Cell label={t("people.expires")}>{apiKey.expires_at ? formatTime(apiKey.expires_at) : t("people.never")}</Cell>
      <Cell>
        {state !== "revoked" && (
          <ConfirmButton
            h={{ base: "9", md: "7" }}
            aria-label={t("people.revokeOf", { name })}
            title={t("people.revokeTitle", { name })}
            text={t("people.revokeText")}
            action={t("people.revoke")}
            onConfirm={revoke}
          >
            {t("people.revoke")}
          </ConfirmButton>
        )}
      </Cell>
    </Row>
  );
}

export function Keys({ role }: { role: Role }) {
  const { data, isPending, error, refetch, dataUpdatedAt } = useQuery(keysQuery);
  const [made, setMade] = useState<Schemas["ApiKeyCreated"]>();
  return (
    <Flex direction="column" gap="4">
      <Panel title={t("people.keys")} hint={t("people.keysHint")}>
        {made && <Secret made={made} onDone={() => setMade(undefined)} />}
        {isPending && <Loading />}
        {error && <ProblemNotice error={error} retry={() => void refetch()} />}
        {data && !data.items.length && <Text color="fg.muted">{t("people.noKeys")}</Text>}
        {data && data.items.length > 0 && (
          <Rows
            label={t("people.keys")}
            columns="minmax(0, 1fr) minmax(0, 1fr) 7rem 7rem 9rem 5rem"
            names={[
              t("people.key"),
              t("people.scopes"),
              t("people.made"),
              t("people.used"),
              t("people.expires"),
              t("people.actions"),
            ]}
          >
            {data.items.map((key) => (
              <KeyRow key={key.id} apiKey={key} now={dataUpdatedAt} />
            ))}
          </Rows>
        )}
      </Panel>
      <Panel title={t("people.newKey")}>
        <KeyForm role={role} onMade={setMade} />
      </Panel>
    </Flex>
  );
}
