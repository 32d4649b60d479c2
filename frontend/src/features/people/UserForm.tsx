// A new user; the first one of a server is an admin.
import { Button, Flex } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, asProblem, call } from "@/api/client";
import { Choice, TextField } from "@/components/fields";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { NewPassword, useNewPassword } from "./Password";
import { type Role, roles, type User } from "./people";

export function UserForm({ first = false, onAdded }: { first?: boolean; onAdded: (user: User) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>(first ? "admin" : "editor");
  const fresh = useNewPassword();
  const add = useMutation({
    mutationFn: (password: string) => call(api.POST("/api/v1/users", { body: { name: name.trim(), password, role } })),
    onSuccess: (user) => {
      setName("");
      fresh.clear();
      onAdded(user);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const password = fresh.take();
    if (password && name.trim()) add.mutate(password);
  };
  const problem = add.error ? asProblem(add.error) : undefined;
  return (
    <form onSubmit={submit}>
      <Flex direction="column" gap="3" maxW="sm">
        <TextField
          label={t("people.name")}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={problem?.at("/name")}
          maxLength={64}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        {!first && (
          <Choice
            label={t("people.roleName")}
            hint={t("people.roleHint")}
            value={role}
            options={roles.map((one) => [one, t(`people.role.${one}`)] as const)}
            onChange={setRole}
            error={problem?.at("/role")}
          />
        )}
        <NewPassword state={fresh} error={problem?.at("/password")} />
        {problem && !problem.at("/name") && !problem.at("/password") && <ProblemNotice error={problem} />}
        <Button type="submit" alignSelf="start" size="sm" loading={add.isPending}>
          {t("people.add")}
        </Button>
      </Flex>
    </form>
  );
}
