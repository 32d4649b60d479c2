// One's own password and sessions.
import { Badge, Box, Button, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, asProblem, call, type Schemas } from "@/api/client";
import { meQuery } from "@/api/queries";
import { reconnect } from "@/api/socket";
import { ConfirmButton } from "@/components/ConfirmButton";
import { TextField } from "@/components/fields";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { Loading, ProblemNotice } from "@/components/states";
import { formatAgo, formatTime, t } from "@/i18n";
import { NewPassword, useNewPassword } from "./Password";
import { agentName, type Session, sessionsQuery } from "./people";

function PasswordForm({ name }: { name: string }) {
  const client = useQueryClient();
  const [old, setOld] = useState("");
  const fresh = useNewPassword();
  const change = useMutation({
    mutationFn: (new_password: string) =>
      call(api.POST("/api/v1/me/password", { body: { old_password: old, new_password } })),
    onSuccess: () => {
      setOld("");
      fresh.clear();
      notify.done(t("people.passwordChanged"));
      void reconnect(); // the session is another one now
      for (const { queryKey } of [meQuery, sessionsQuery]) void client.invalidateQueries({ queryKey });
    },
  });
  const problem = change.error ? asProblem(change.error) : undefined;
  const atField = problem?.at("/old_password") ?? problem?.at("/new_password");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const password = fresh.take();
    if (password) change.mutate(password);
  };
  return (
    <form onSubmit={submit}>
      <Flex direction="column" gap="3" maxW="sm">
        <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
        <TextField
          label={t("people.oldPassword")}
          type="password"
          autoComplete="current-password"
          value={old}
          onChange={(event) => setOld(event.target.value)}
          error={problem?.at("/old_password")}
          maxLength={1024}
          required
        />
        <NewPassword state={fresh} error={problem?.at("/new_password")} />
        {problem && !atField && <ProblemNotice error={problem} />}
        <Button type="submit" alignSelf="start" size="sm" loading={change.isPending}>
          {t("people.change")}
        </Button>
      </Flex>
    </form>
  );
}

const end = (id: string) => call(api.DELETE("/api/v1/sessions/{id}", { params: { path: { id } } }));

function SessionRow({ session }: { session: Session }) {
  const client = useQueryClient();
  const ending = useMutation({
    mutationFn: () => end(session.id),
    onSuccess: () => {
      notify.done(t("people.ended"));
      void client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
    onError: (error) => notify.error(error),
  });
  const agent = agentName(session.agent);
  return (
    <Row>
      <Cell title={session.agent ?? undefined}>
        {agent}{" "}
        {session.current && (
          <Badge variant="outline" colorPalette="green">
            {t("people.thisSession")}
          </Badge>
        )}
      </Cell>
      <Cell label={t("people.address")}>{session.address}</Cell>
      <Cell label={t("people.seen")}>{formatAgo(session.seen_at)}</Cell>
      <Cell label={t("people.expires")}>{formatTime(session.expires_at)}</Cell>
      <Cell>
        {!session.current && (
          <Button
            size="xs"
            variant="outline"
            h={{ base: "9", md: "7" }}
            aria-label={t("people.endSessionOf", { agent })}
            loading={ending.isPending}
            onClick={() => ending.mutate()}
          >
            {t("people.endSession")}
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function Sessions() {
  const client = useQueryClient();
  const { data, isPending, error, refetch } = useQuery(sessionsQuery);
  const sessions = data?.items ?? [];
  const others = sessions.filter((one) => !one.current);
  const endOthers = async () => {
    for (const one of others) await end(one.id);
    await client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  };
  return (
    <Panel
      title={t("people.sessions")}
      hint={t("people.sessionsHint")}
      actions={
        others.length > 1 && (
          <ConfirmButton
            title={t("people.endOthersTitle", { n: others.length })}
            text={t("people.endOthersText")}
            action={t("people.endOthers")}
            onConfirm={endOthers}
          >
            {t("people.endOthers")}
          </ConfirmButton>
        )
      }
    >
      {isPending && <Loading />}
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {sessions.length > 0 && (
        <Rows
          label={t("people.sessions")}
          columns="minmax(0, 1.4fr) minmax(0, 1fr) 8rem 11rem 5rem"
          names={[t("people.session"), t("people.address"), t("people.seen"), t("people.expires"), t("people.actions")]}
        >
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} />
          ))}
        </Rows>
      )}
    </Panel>
  );
}

export function Account({ me }: { me: Schemas["Me"] }) {
  return (
    <Flex direction="column" gap="4">
      <Box>
        <Text>
          {t("people.youAre", { name: me.name })} <Badge variant="outline">{t(`people.role.${me.role}`)}</Badge>
        </Text>
        <Text color="fg.muted">{t("people.roleHint")}</Text>
      </Box>
      <Sessions />
      <Panel title={t("people.changePassword")}>
        <PasswordForm name={me.name} />
      </Panel>
    </Flex>
  );
}
