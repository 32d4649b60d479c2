// The spec as text, in step with the form: what can be read goes into the form at once; problems stand at their lines.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useEffect, useRef, useState } from "react";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { usePlan } from "./plan";
import { fromSpec, type Spec } from "./spec/form";
import { JsonError, type Located, lineAt, parseJson, placeOf } from "./spec/json";
import { useBuilder, useChange, written } from "./store";

interface Mark {
  line: number;
  offset: number;
  text: string;
}

const isObject = (value: unknown): value is Spec =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parse(text: string): Located | Mark {
  try {
    const located = parseJson(text);
    if (isObject(located.value)) return located;
    return { line: 1, offset: 0, text: t("builder.problem.notObject") };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const line = lineAt(text, error.offset);
    const what = t(`builder.problem.json_${error.problem}`);
    return { line, offset: error.offset, text: t("builder.problem.notJson", { what, line }) };
  }
}

function Gutter({ count, wrong }: { count: number; wrong: ReadonlySet<number> }) {
  const lines = Array.from({ length: count }, (_, i) => i + 1);
  return (
    <Box aria-hidden textAlign="end" color="fg.muted" userSelect="none" py="2" px="2" bg="bg.subtle" minW="10">
      {lines.map((line) => (
        <Box
          key={line}
          bg={wrong.has(line) ? "red.solid" : undefined}
          color={wrong.has(line) ? "red.contrast" : undefined}
          px="1"
        >
          {line}
        </Box>
      ))}
    </Box>
  );
}

function Marks({ marks, onGo }: { marks: Mark[]; onGo: (mark: Mark) => void }) {
  if (!marks.length)
    return (
      <Text fontSize="xs" color="fg.muted" role="status">
        {t("builder.json.valid")}
      </Text>
    );
  return (
    <Flex as="ul" direction="column" gap="1" listStyleType="none" aria-live="polite">
      {marks.map((mark) => (
        <li key={mark.line + mark.text}>
          <Button
            size="xs"
            variant="ghost"
            h="auto"
            minH="6"
            py="1"
            whiteSpace="normal"
            textAlign="start"
            color="fg.error"
            onClick={() => onGo(mark)}
          >
            {t("builder.problem.line", { n: mark.line })}: {mark.text}
          </Button>
        </li>
      ))}
    </Flex>
  );
}

/** The text: what was typed while it says what the form says, or cannot be read; else the form's own. */
function useJsonText() {
  const specText = useBuilder((state) => written(state.form).text);
  const spec = useBuilder((state) => written(state.form).spec);
  const change = useChange();
  const [typed, setTyped] = useState<{ text: string; of: string }>();
  const text = typed?.of === specText ? typed.text : JSON.stringify(spec, null, 2);
  const edit = (next: string) => {
    const read = parse(next);
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
  const area = useRef<HTMLTextAreaElement>(null);
  const read = parse(text);
  const marks: Mark[] =
    "line" in read
      ? [read]
      : (problem?.errors ?? []).map(({ pointer, expected }) => {
          const offset = placeOf(read.places, pointer);
          return { line: lineAt(text, offset), offset, text: `${pointer || "/"} ${expected}` };
        });
  useEffect(() => area.current?.focus(), []);
  const go = ({ offset }: Mark) => {
    area.current?.focus();
    area.current?.setSelectionRange(offset, offset);
  };
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
      <Marks marks={marks} onGo={go} />
      {"line" in read && (
        <Text fontSize="xs" color="fg.muted">
          {t("builder.json.broken")}
        </Text>
      )}
      <Flex
        borderWidth="1px"
        rounded="md"
        bg="bg.panel"
        fontFamily="mono"
        fontSize={{ base: "16px", md: "13px" }}
        lineHeight="20px"
      >
        <Gutter count={text.split("\n").length} wrong={new Set(marks.map(({ line }) => line))} />
        <Box
          asChild
          flex="1"
          minW="0"
          p="2"
          bg="transparent"
          resize="none"
          whiteSpace="pre"
          overflowX="auto"
          overflowY="hidden"
          outlineOffset="-2px"
        >
          <textarea
            ref={area}
            aria-label={t("builder.json.label")}
            aria-invalid={marks.length > 0 || undefined}
            spellCheck={false}
            autoCapitalize="off"
            rows={text.split("\n").length + 1}
            value={text}
            onChange={({ target }) => edit(target.value)}
          />
        </Box>
      </Flex>
    </Flex>
  );
}
