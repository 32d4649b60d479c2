// The form that begins a download.
import { Box, Button, Flex, SimpleGrid, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type FormEvent, useState } from "react";
import { asProblem } from "@/api/client";
import { useMe } from "@/api/me";
import { TextField } from "@/components/fields";
import { Panel } from "@/components/Panel";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { pull, repositoryOf, showTask } from "./models";

export const example = "stabilityai/sd-turbo";

function Form() {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const begin = useMutation({
    mutationFn: pull,
    onSuccess: (task) => {
      showTask(client, task);
      setText("");
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const model = repositoryOf(text);
    setWrong(!model);
    if (!model) return;
    const data = new FormData(event.currentTarget);
    const given = (name: string) => String(data.get(name) ?? "").trim() || undefined;
    begin.mutate({ model, revision: given("revision"), variant: given("variant") });
  };
  const problem = begin.error ? asProblem(begin.error) : undefined;
  return (
    <form onSubmit={submit} noValidate>
      <Flex gap="3" align="end" wrap="wrap">
        <Box flex="1" minW="56">
          <TextField
            label={t("models.repository")}
            placeholder={t("models.repositoryExample")}
            value={text}
            onChange={(event) => setText(event.target.value)}
            error={wrong ? t("models.wrongName") : problem?.at("/model")}
            maxLength={300}
            autoCapitalize="none"
            spellCheck={false}
          />
        </Box>
        <Button type="submit" loading={begin.isPending} disabled={!text.trim()}>
          <Download size={16} aria-hidden />
          {t("models.start")}
        </Button>
      </Flex>
      <Box as="details" mt="3">
        <Box as="summary" cursor="pointer" color="fg.muted" py="1">
          {t("models.advanced")}
        </Box>
        <SimpleGrid columns={{ base: 1, sm: 2 }} gap="3" mt="2">
          <TextField
            label={t("models.revision")}
            name="revision"
            hint={t("models.revisionHint")}
            error={problem?.at("/revision")}
            maxLength={100}
          />
          <TextField
            label={t("models.variant")}
            name="variant"
            hint={t("models.variantHint")}
            error={problem?.at("/variant")}
            maxLength={32}
          />
        </SimpleGrid>
      </Box>
      {problem && !problem.at("/model") && (
        <Box mt="3">
          <ProblemNotice error={problem} />
        </Box>
      )}
    </form>
  );
}

export function PullPanel() {
  const { isAdmin } = useMe();
  return (
    <Panel title={t("models.pull")} hint={t("models.pullHint", { example })}>
      {isAdmin ? <Form /> : <Text color="fg.muted">{t("models.adminOnly")}</Text>}
    </Panel>
  );
}
