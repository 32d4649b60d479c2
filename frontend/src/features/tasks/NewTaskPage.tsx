// A task's document: written, checked against the source and the destination, started.
import { Button, Flex, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, asProblem, call } from "@/api/client";
import { useMe } from "@/api/me";
import { TextField } from "@/components/fields";
import { JsonEditor, marksOf, parseObject } from "@/components/JsonEditor";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { CheckResult } from "./CheckResult";
import { type ExampleName, exampleNames, exampleText } from "./examples";
import { showTask, tasksQuery } from "./tasks";

/** Pointers of the document within the body. */
const inDocument = (pointer: string) => pointer.replace(/^\/document/, "");

function Examples({ onChoose }: { onChoose: (name: ExampleName) => void }) {
  return (
    <Flex gap="2" wrap="wrap" align="center">
      <Text fontSize="xs" color="fg.muted">
        {t("tasks.examples")}
      </Text>
      {exampleNames.map((name) => (
        <Button key={name} size="xs" variant="outline" h={{ base: "9", md: "7" }} onClick={() => onChoose(name)}>
          {t(`tasks.example.${name}`)}
        </Button>
      ))}
    </Flex>
  );
}

function useTask(text: string, canary: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const read = parseObject(text);
  const body = () => ({
    document: "line" in read ? {} : (read.value as Record<string, unknown>),
    again: false,
    ...(canary === "" ? {} : { canary: Number(canary) }),
  });
  const check = useMutation({
    mutationFn: () => call(api.POST("/api/v1/tasks/check", { body: body(), params: { query: {} } })),
  });
  const start = useMutation({
    mutationFn: (again: boolean) => call(api.POST("/api/v1/tasks", { body: { ...body(), again } })),
    onSuccess: (task) => {
      showTask(client, task);
      void client.invalidateQueries({ queryKey: tasksQuery.queryKey });
      navigate(`/tasks/${task.id}`);
    },
  });
  return { read, check, start };
}

export function Component() {
  const { mayWrite } = useMe();
  const [text, setText] = useState(() => exampleText("jsonl"));
  const [canary, setCanary] = useState("");
  const { read, check, start } = useTask(text, canary);
  const error = start.error ?? check.error;
  const problem = error ? asProblem(error) : undefined;
  const problems = (problem?.errors ?? []).map((one) => ({ ...one, pointer: inDocument(one.pointer) }));
  const edit = (next: string) => {
    setText(next);
    check.reset();
    start.reset();
  };
  const busy = "line" in read || check.isPending || start.isPending || !mayWrite;
  return (
    <Page title={t("tasks.newTitle")}>
      <Flex direction="column" gap="4">
        <Panel title={t("tasks.editor")} hint={t("tasks.editorHelp")}>
          <Flex direction="column" gap="3">
            <Examples onChoose={(name) => edit(exampleText(name))} />
            <JsonEditor text={text} marks={marksOf(text, read, problems)} label={t("tasks.editor")} onChange={edit} />
          </Flex>
        </Panel>
        <TextField
          label={t("tasks.canary")}
          hint={t("tasks.canaryHint")}
          type="number"
          inputMode="numeric"
          min={0}
          max={200}
          maxW="32"
          value={canary}
          onChange={({ target }) => setCanary(target.value)}
        />
        {problem && !problems.length && <ProblemNotice error={problem} />}
        <Flex gap="2" wrap="wrap">
          <Button
            variant="outline"
            h="11"
            disabled={busy}
            loading={check.isPending}
            onClick={() => {
              start.reset();
              check.mutate();
            }}
          >
            {t("tasks.check")}
          </Button>
          <Button h="11" disabled={busy} loading={start.isPending} onClick={() => start.mutate(false)}>
            {t("tasks.start")}
          </Button>
          {problem?.code === "conflict" && (
            <Button variant="outline" h="11" disabled={busy} onClick={() => start.mutate(true)}>
              {t("tasks.startAgain")}
            </Button>
          )}
        </Flex>
        {check.isPending && <Loading label={t("tasks.checking")} />}
        {check.data && <CheckResult check={check.data} />}
      </Flex>
    </Page>
  );
}
