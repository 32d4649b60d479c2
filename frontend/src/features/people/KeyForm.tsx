// The form of a new API key.
import { Box, Button, Checkbox, Fieldset, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, asProblem, call, type Schemas } from "@/api/client";
import { Choice, TextField } from "@/components/fields";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { endOfDay, inDays, keysQuery, type Role, type Scope, scopes, scopesOf } from "./people";

const terms = ["never", "7", "30", "90", "365", "date"] as const;
type Term = (typeof terms)[number];

function termName(term: Term): string {
  if (term === "never") return t("people.never");
  return term === "date" ? t("people.atDate") : t("people.days", { n: Number(term) });
}

function expiryOf(term: Term, day: string): { at: string | null } | undefined {
  if (term === "never") return { at: null };
  const at = term === "date" ? endOfDay(day, Date.now()) : inDays(Number(term), Date.now());
  return at ? { at } : undefined;
}

interface ScopesProps {
  role: Role;
  chosen: readonly Scope[];
  error?: string;
  onChange: (chosen: Scope[]) => void;
}

function Scopes({ role, chosen, error, onChange }: ScopesProps) {
  return (
    <Fieldset.Root invalid={Boolean(error)}>
      <Fieldset.Legend>{t("people.scopes")}</Fieldset.Legend>
      <Fieldset.Content gap="1" mt="1">
        {scopes.map((scope) => {
          const allowed = scopesOf[role].includes(scope);
          return (
            <Checkbox.Root
              key={scope}
              minH={{ base: "10", md: "7" }}
              disabled={!allowed}
              checked={chosen.includes(scope)}
              onCheckedChange={({ checked }) =>
                onChange(scopes.filter((one) => (one === scope ? checked === true : chosen.includes(one))))
              }
            >
              <Checkbox.HiddenInput />
              <Checkbox.Control />
              <Checkbox.Label>
                {t(`people.scope.${scope}`)}
                {!allowed && ` (${t("people.scopeMissing")})`}
              </Checkbox.Label>
            </Checkbox.Root>
          );
        })}
      </Fieldset.Content>
      {error && <Fieldset.ErrorText>{error}</Fieldset.ErrorText>}
    </Fieldset.Root>
  );
}

export function KeyForm({ role, onMade }: { role: Role; onMade: (made: Schemas["ApiKeyCreated"]) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<Scope[]>(() => scopesOf[role].filter((scope) => scope !== "admin"));
  const [term, setTerm] = useState<Term>("90");
  const [day, setDay] = useState("");
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: (body: Schemas["ApiKeyCreate"]) => call(api.POST("/api/v1/api-keys", { body })),
    onSuccess: (made) => {
      onMade(made);
      setName("");
      setTried(false);
      void client.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const expiry = expiryOf(term, day);
    if (name.trim() && chosen.length && expiry)
      create.mutate({ name: name.trim(), scopes: chosen, expires_at: expiry.at });
  };
  const problem = create.error ? asProblem(create.error) : undefined;
  const dayMissing = tried && term === "date" && !expiryOf(term, day);
  return (
    <form onSubmit={submit} noValidate>
      <Flex direction="column" gap="3" maxW="md">
        <TextField
          label={t("people.keyName")}
          placeholder={t("people.keyNameExample")}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={tried && !name.trim() ? t("people.needName") : problem?.at("/name")}
          maxLength={100}
        />
        <Scopes
          role={role}
          chosen={chosen}
          onChange={setChosen}
          error={tried && !chosen.length ? t("people.needScope") : problem?.at("/scopes")}
        />
        <Flex gap="3" wrap="wrap">
          <Choice
            label={t("people.expiry")}
            width="56"
            value={term}
            options={terms.map((one) => [one, termName(one)] as const)}
            onChange={setTerm}
          />
          {term === "date" && (
            <Box w="44">
              <TextField
                label={t("people.date")}
                type="date"
                value={day}
                onChange={(event) => setDay(event.target.value)}
                error={dayMissing ? t("people.needDate") : problem?.at("/expires_at")}
              />
            </Box>
          )}
        </Flex>
        {problem && !problem.errors.length && <ProblemNotice error={problem} />}
        {problem && problem.errors.length > 0 && <Text color="fg.error">{problem.message}</Text>}
        <Button type="submit" alignSelf="start" size="sm" loading={create.isPending}>
          {t("people.create")}
        </Button>
      </Flex>
    </form>
  );
}
