// A small question about one user: another name, another password.
import { Button, Dialog, Portal, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, asProblem, call, type Schemas } from "@/api/client";
import { TextField } from "@/components/fields";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { NewPassword, useNewPassword } from "./Password";
import type { User } from "./people";

export const changeUser = (id: string, body: Schemas["UserChange"]): Promise<User> =>
  call(api.PATCH("/api/v1/users/{id}", { params: { path: { id } }, body }));

interface Props {
  user: User;
  what: "rename" | "password";
  onDone: (user: User) => void;
  onClose: () => void;
}

function Question({ user, what, onDone }: Props) {
  const [name, setName] = useState(user.name);
  const fresh = useNewPassword();
  const change = useMutation({
    mutationFn: (body: Schemas["UserChange"]) => changeUser(user.id, body),
    onSuccess: onDone,
  });
  const problem = change.error ? asProblem(change.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (what === "rename") return change.mutate({ name: name.trim() });
    const password = fresh.take();
    if (password) change.mutate({ password });
  };
  return (
    <form onSubmit={submit}>
      <Dialog.Body display="grid" gap="3">
        {what === "rename" ? (
          <TextField
            label={t("people.name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={problem?.at("/name")}
            maxLength={64}
            required
          />
        ) : (
          <>
            <Text color="fg.muted">{t("people.resetHint", { name: user.name })}</Text>
            <NewPassword state={fresh} error={problem?.at("/password")} />
          </>
        )}
        {problem && !problem.errors.length && <ProblemNotice error={problem} />}
      </Dialog.Body>
      <Dialog.Footer>
        <Dialog.ActionTrigger asChild>
          <Button variant="outline">{t("common.cancel")}</Button>
        </Dialog.ActionTrigger>
        <Button type="submit" loading={change.isPending}>
          {t("common.save")}
        </Button>
      </Dialog.Footer>
    </form>
  );
}

export function UserDialog(props: Props) {
  const { user, what, onClose } = props;
  return (
    <Dialog.Root open onOpenChange={({ open }) => !open && onClose()} placement={{ base: "bottom", md: "center" }}>
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content mx="3">
            <Dialog.Header>
              <Dialog.Title>
                {t(what === "rename" ? "people.renameTitle" : "people.resetTitle", { name: user.name })}
              </Dialog.Title>
            </Dialog.Header>
            <Question {...props} />
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
