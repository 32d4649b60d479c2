// The spec as text, in step with the form: what can be read goes into the form at once; problems stand at their lines.
import { Button, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { JsonEditor, marksOf, parseObject } from "@/components/JsonEditor";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { usePlan } from "./plan";
import { fromSpec, type Spec } from "./spec/form";
import { useBuilder, useChange, written } from "./store";

/** The text: what was typed while it says what the form says, or cannot be read; else the form's own. */
function useJsonText() {
  const specText = useBuilder((state) => written(state.form).text);
  const spec = useBuilder((state) => written(state.form).spec);
  const change = useChange();
  const [typed, setTyped] = useState<{ text: string; of: string }>();
  const text = typed?.of === specText ? typed.text : JSON.stringify(spec, null, 2);
  const edit = (next: string) => {
    const read = parseObject(next);
    if ("line" in read) return setTyped({ text: next, of: specText });
    const form = fromSpec(read.value as Spec);
    setTyped({ text: next, of: written(form).text });
    if (written(form).text !== specText) change(() => form, "json");
  };
  return { text, edit, tidy: () => setTyped(undefined) };
}

export function JsonView() {
  const { text, edit, tidy } = useJsonText();
  const { problem } = usePlan();
  const read = parseObject(text);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    notify.done(t("common.copied"));
  };
  return (
    <Flex direction="column" gap="3">
      <Flex gap="2" align="center" wrap="wrap">
        <Text fontSize="xs" color="fg.muted" flex="1 1 16rem">
          {t("builder.json.help")}
        </Text>
        <Button size="xs" variant="outline" disabled={"line" in read} onClick={tidy}>
          {t("builder.json.format")}
        </Button>
        <Button size="xs" variant="outline" onClick={() => void copy().catch(notify.error)}>
          {t("builder.json.copy")}
        </Button>
      </Flex>
      {"line" in read && (
        <Text fontSize="xs" color="fg.muted">
          {t("builder.json.broken")}
        </Text>
      )}
      <JsonEditor
        text={text}
        marks={marksOf(text, read, problem?.errors ?? [])}
        label={t("builder.json.label")}
        onChange={edit}
      />
    </Flex>
  );
}
