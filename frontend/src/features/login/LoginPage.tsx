// Name and password. Stands alone, without the navigation: nothing of the app is to be seen before.
import { Box, Button, Checkbox, Code, Flex, Heading, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { asProblem, type Problem } from "@/api/client";
import { meQuery } from "@/api/queries";
import { TextField } from "@/components/fields";
import { ProblemNotice } from "@/components/states";
import { formatSeconds, t } from "@/i18n";
import { login } from "./identity";
import { targetOf } from "./target";
import { useCountdown } from "./useCountdown";

function Refusal({ problem, wait }: { problem: Problem; wait: number }) {
  if (problem.code === "wrong_credentials") return <Text color="fg.error">{t("login.wrong")}</Text>;
  if (problem.code !== "too_many_attempts") return <ProblemNotice error={problem} title={t("login.title")} />;
  return (
    <Text color={wait ? "fg.error" : "fg"}>
      {wait
        ? t("login.tooMany", { wait: wait < 60 ? t("login.seconds", { n: wait }) : formatSeconds(wait) })
        : t("login.mayTry")}
    </Text>
  );
}

function useLogin(target: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [end, setEnd] = useState<number>();
  const wait = useCountdown(end);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    setBusy(true);
    try {
      await login(client, String(data.get("username")), String(data.get("password")));
      navigate(target, { replace: true });
    } catch (error) {
      const said = asProblem(error);
      setProblem(said);
      setEnd(said.retryAfter === undefined ? undefined : Date.now() + said.retryAfter * 1000);
      form.querySelector<HTMLInputElement>("[name=password]")?.select();
    } finally {
      setBusy(false);
    }
  };
  return { submit, busy, problem, wait };
}

function LoginForm({ target }: { target: string }) {
  const { submit, busy, problem, wait } = useLogin(target);
  const [shown, setShown] = useState(false);
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Box display="grid" gap="4">
        <TextField
          label={t("login.name")}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          required
          autoFocus
        />
        <TextField
          label={t("login.password")}
          name="password"
          type={shown ? "text" : "password"}
          autoComplete="current-password"
          maxLength={1024}
          required
        />
        <Checkbox.Root checked={shown} onCheckedChange={({ checked }) => setShown(checked === true)}>
          <Checkbox.HiddenInput />
          <Checkbox.Control />
          <Checkbox.Label>{t("login.show")}</Checkbox.Label>
        </Checkbox.Root>
        <div role="alert">{problem && <Refusal problem={problem} wait={wait} />}</div>
        <Button type="submit" h="11" loading={busy} disabled={wait > 0}>
          {t("login.action")}
        </Button>
        <Text color="fg.muted" fontSize="xs">
          {t("login.forgotten")} <Code>cauldron user password NAME</Code>
        </Text>
      </Box>
    </form>
  );
}

/** Somebody is logged in, or nobody has to be. */
function NothingToDo({ text, target }: { text: string; target: string }) {
  return (
    <>
      <Text mb="4">{text}</Text>
      <Button asChild>
        <Link to={target}>{t("login.goOn")}</Link>
      </Button>
    </>
  );
}

export function Component() {
  const [search] = useSearchParams();
  const target = targetOf(search.get("to"));
  const { data: me } = useQuery({ ...meQuery, retry: false });
  useEffect(() => {
    document.title = `${t("login.title")} · ${t("common.app")}`;
  }, []);
  return (
    <Flex as="main" minH="100dvh" align="center" justify="center" p="4">
      <Box w="full" maxW="sm" p={{ base: "5", md: "8" }} borderWidth="1px" rounded="xl" bg="bg.panel">
        <Flex align="center" gap="3" mb="6">
          <img src="/icon.svg" alt="" width={36} height={36} />
          <Heading as="h1" size="lg" fontWeight="semibold">
            {t("login.title")}
          </Heading>
        </Flex>
        {me?.id === null ? (
          <NothingToDo text={t("login.noUsers")} target={target} />
        ) : me ? (
          <NothingToDo text={t("login.already", { name: me.name })} target={target} />
        ) : (
          <LoginForm target={target} />
        )}
      </Box>
    </Flex>
  );
}
