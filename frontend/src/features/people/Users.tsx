// All users of the server; for admins.
import { Badge, Button, Flex, Text } from "@chakra-ui/react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { meQuery } from "@/api/queries";
import { ConfirmButton } from "@/components/ConfirmButton";
import { Choice } from "@/components/fields";
import { MoreButton } from "@/components/MoreButton";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { Loading, ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { roles, type User, usersQuery } from "./people";
import { changeUser, UserDialog } from "./UserDialog";
import { UserForm } from "./UserForm";

function useUserChange(user: User) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UserChange"]) => changeUser(user.id, body),
    onError: (error) => notify.error(error),
    onSettled: () => {
      for (const { queryKey } of [usersQuery, meQuery]) void client.invalidateQueries({ queryKey });
    },
  });
}

function Actions({ user, own }: { user: User; own: boolean }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<"rename" | "password">();
  const change = useUserChange(user);
  const { name } = user;
  const again = () => client.invalidateQueries({ queryKey: usersQuery.queryKey });
  const remove = async () => {
    await call(api.DELETE("/api/v1/users/{id}", { params: { path: { id: user.id } } }));
    notify.done(t("people.removed", { name }));
    await again();
  };
  const disable = async () => {
    await change.mutateAsync({ disabled: true });
    notify.undo(t("people.disabledNow", { name }), () => change.mutateAsync({ disabled: false }).then(() => {}));
  };
  const enable = async () => {
    await change.mutateAsync({ disabled: false });
    notify.done(t("people.enabledNow", { name }));
  };
  const button = { size: "xs", variant: "outline", h: { base: "9", md: "7" } } as const;
  const toggle = user.disabled ? enable : disable;
  return (
    <Flex gap="1.5" wrap="wrap" role="group" aria-label={t("people.more", { name })}>
      <Button {...button} onClick={() => setAsked("rename")}>
        {t("people.rename")}
      </Button>
      <Button {...button} onClick={() => setAsked("password")}>
        {t("people.resetPassword")}
      </Button>
      {!own && (
        <Button {...button} loading={change.isPending} onClick={() => void toggle().catch(() => {})}>
          {t(user.disabled ? "people.enable" : "people.disable")}
        </Button>
      )}
      {!own && (
        <ConfirmButton
          {...button}
          title={t("people.removeTitle", { name })}
          text={t("people.removeText", { name })}
          action={t("people.remove")}
          onConfirm={remove}
        >
          {t("people.remove")}
        </ConfirmButton>
      )}
      {asked && (
        <UserDialog
          user={user}
          what={asked}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setAsked(undefined);
            if (asked === "password") notify.done(t("people.resetDone", { name }));
            void again();
            if (own) void client.invalidateQueries({ queryKey: meQuery.queryKey });
          }}
        />
      )}
    </Flex>
  );
}

function UserRow({ user, own }: { user: User; own: boolean }) {
  const change = useUserChange(user);
  return (
    <Row>
      <Cell>
        <Text as="span" fontWeight="medium">
          {user.name}
        </Text>{" "}
        {own && <Badge variant="outline">{t("people.you")}</Badge>}{" "}
        {user.disabled && (
          <Badge variant="outline" colorPalette="red">
            {t("people.disabled")}
          </Badge>
        )}
      </Cell>
      <Cell>
        <Choice
          quiet
          size="xs"
          label={t("people.roleOf", { name: user.name })}
          value={change.variables?.role && change.isPending ? change.variables.role : user.role}
          options={roles.map((one) => [one, t(`people.role.${one}`)] as const)}
          onChange={(role) => change.mutate({ role })}
        />
      </Cell>
      <Cell label={t("people.lastLogin")}>
        {user.last_login_at ? formatAgo(user.last_login_at) : t("people.neverUsed")}
      </Cell>
      <Cell>
        <Actions user={user} own={own} />
      </Cell>
    </Row>
  );
}

export function Users({ me }: { me: Schemas["Me"] }) {
  const client = useQueryClient();
  const query = useInfiniteQuery(usersQuery);
  const users = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Flex direction="column" gap="4">
      <Panel title={t("people.users")} hint={t("people.roleHint")}>
        {query.isPending && <Loading />}
        {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
        {users.length > 0 && (
          <Rows
            label={t("people.users")}
            columns="minmax(0, 1fr) 7rem 7rem minmax(0, 2fr)"
            names={[t("people.name"), t("people.roleName"), t("people.lastLogin"), t("people.actions")]}
          >
            {users.map((user) => (
              <UserRow key={user.id} user={user} own={user.id === me.id} />
            ))}
          </Rows>
        )}
        <MoreButton query={query} />
      </Panel>
      <Panel title={t("people.addUser")}>
        <UserForm
          onAdded={({ name }) => {
            notify.done(t("people.added", { name }));
            void client.invalidateQueries({ queryKey: usersQuery.queryKey });
          }}
        />
      </Panel>
    </Flex>
  );
}
