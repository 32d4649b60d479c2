// Prompts, one per line: many may be pasted. One is a parameter of the base; several are an axis. Words in braces ask for
// values.
import { Button, Flex, Text, Textarea } from "@chakra-ui/react";
import { Braces } from "lucide-react";
import { FieldFrame } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { control } from "../control";
import { focusSoon } from "../focus";
import { usePointer, useProblemsAt } from "../plan";
import { valueProblems } from "../problems";
import { addAxis, newAxis, promptAxis, promptsText, setPrompts, variables, varies } from "../spec/edits";
import { readLines } from "../spec/lines";
import { useChange, useForm, withAxis } from "../store";
import { ValuesEditor } from "../values/ValuesEditor";
import { Section } from "./Section";

function Words() {
  const form = useForm();
  const change = useChange();
  const words = variables(form);
  if (!words.length) return null;
  const fill = (word: string) => {
    const axis = newAxis(`variable:${word}`);
    change((old) => addAxis(old, axis));
    focusSoon(axis.id);
  };
  return (
    <Flex gap="2" wrap="wrap" mt="2" role="group" aria-label={t("builder.prompts.words")}>
      {words.map(({ word, filled }) =>
        filled ? (
          <Flex key={word} align="center" gap="1" fontSize="xs" color="fg.muted" h="7">
            <Braces size={13} aria-hidden />
            {t("builder.prompts.wordFilled", { word })}
          </Flex>
        ) : (
          <Button key={word} size="xs" variant="outline" onClick={() => fill(word)}>
            <Braces size={13} aria-hidden />
            {t("builder.prompts.word", { word })}
          </Button>
        ),
      )}
    </Flex>
  );
}

function PromptLines({ text, error }: { text: string; error?: string }) {
  const change = useChange();
  return (
    <FieldFrame label={t("builder.prompts.label")} error={error} help={t("builder.prompts.help")}>
      {(described) => (
        <Textarea
          {...described}
          {...control}
          data-focus="prompts"
          autoresize
          rows={3}
          maxH="96"
          placeholder={t("builder.prompts.placeholder")}
          value={text}
          onChange={({ target }) => change((form) => setPrompts(form, target.value), "prompts")}
        />
      )}
    </FieldFrame>
  );
}

export function PromptsSection() {
  const form = useForm();
  const change = useChange();
  const axis = promptAxis(form);
  const axisPointer = usePointer(axis?.id ?? "");
  const ofAxis = useProblemsAt(axisPointer);
  const ofBase = useProblemsAt("/base").filter(({ pointer }) => pointer === "/base" || pointer === "/base/prompt");
  const text = promptsText(form);
  const tied = !axis && varies(form, "prompt");
  const { error, wrong } = valueProblems([...ofAxis, ...ofBase], axisPointer ?? "/base");
  const count = text === null ? undefined : readLines(text).length;
  return (
    <Section
      title={t("builder.prompts.title")}
      aside={
        count !== undefined && (
          <Text fontSize="xs" color="fg.muted" aria-live="polite">
            {t("builder.prompts.count", { n: count })}
          </Text>
        )
      }
    >
      {tied && (
        <Text fontSize="xs" color="fg.muted" mb="2">
          {t("builder.prompts.tied")}
        </Text>
      )}
      {text !== null && <PromptLines text={text} error={error} />}
      {text === null && axis && (
        <>
          <Text fontSize="xs" color="fg.muted" mb="2">
            {t("builder.prompts.oneByOne")}
          </Text>
          <ValuesEditor
            axis={axis}
            inputId="prompts"
            error={error}
            wrong={wrong}
            onChange={(values) =>
              change(
                withAxis(axis.id, (old) => ({ ...old, ...values })),
                axis.id,
              )
            }
          />
        </>
      )}
      <Words />
    </Section>
  );
}
