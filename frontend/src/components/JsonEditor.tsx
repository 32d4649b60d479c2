// JSON as text with line numbers; problems stand at their lines, and lead there.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useEffect, useRef } from "react";
import type { FieldProblem } from "@/api/client";
import { t } from "@/i18n";
import { JsonError, type Located, lineAt, parseJson, placeOf } from "@/lib/json";

export interface Mark {
  line: number;
  offset: number;
  text: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object with the places of its parts, or why it is none. */
export function parseObject(text: string): Located | Mark {
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

/** What the server says of the object in `text`, at its lines. */
export function marksOf(text: string, read: Located | Mark, problems: readonly FieldProblem[]): Mark[] {
  if ("line" in read) return [read];
  return problems.map(({ pointer, expected }) => {
    const offset = placeOf(read.places, pointer);
    return { line: lineAt(text, offset), offset, text: `${pointer || "/"} ${expected}` };
  });
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

interface Props {
  text: string;
  marks: Mark[];
  label: string;
  onChange: (text: string) => void;
}

export function JsonEditor({ text, marks, label, onChange }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  const go = ({ offset }: Mark) => {
    area.current?.focus();
    area.current?.setSelectionRange(offset, offset);
  };
  return (
    <Flex direction="column" gap="3">
      <Marks marks={marks} onGo={go} />
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
            aria-label={label}
            aria-invalid={marks.length > 0 || undefined}
            spellCheck={false}
            autoCapitalize="off"
            rows={text.split("\n").length + 1}
            value={text}
            onChange={({ target }) => onChange(target.value)}
          />
        </Box>
      </Flex>
    </Flex>
  );
}
