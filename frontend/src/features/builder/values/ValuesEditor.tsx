// The values of one axis: typed as numbers and ranges, picked from a list, or written one per line. Once a value carries
// a label or settings the text cannot say all, so chips are edited and the field adds to them.
import { Box, Button, Flex, Input, Text, Textarea } from "@chakra-ui/react";
import { Check } from "lucide-react";
import { useState } from "react";
import { FieldFrame } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { control } from "../control";
import { axisKind } from "../spec/edits";
import type { SimpleAxis } from "../spec/form";
import { linesText, plainTexts, readLines } from "../spec/lines";
import { isNumeric, type Kind } from "../spec/parameters";
import { hasRich, type Item, numbersText, type Read, readValues, withoutValue, writeItems } from "../spec/values";
import { useOptions } from "../useOptions";
import { axisLabel } from "../words";
import { Chips } from "./Chips";
import { SettingsValues } from "./SettingsValues";

type Change = (change: { values: unknown; typed?: string }) => void;
interface Props {
  axis: SimpleAxis;
  onChange: Change;
  /** What the server says of the values as a whole, and of single ones. */
  error?: string;
  wrong?: ReadonlySet<number>;
  inputId?: string;
}

const presets: Record<string, string[]> = {
  steps: ["4, 8, 12, 20, 32, 50", "5..50 by 5", "1..64 in 7 log"],
  cfg_scale: ["1..16 in 7 log", "1, 3, 5, 7.5, 12", "2..12 by 1"],
};

function Presets({ parameter, onChoose }: { parameter: string; onChoose: (text: string) => void }) {
  const list = presets[parameter];
  if (!list) return null;
  return (
    <Flex gap="1" wrap="wrap" role="group" aria-label={t("builder.values.presets")}>
      {list.map((text) => (
        <Button key={text} size="xs" h="6" px="2" variant="ghost" color="fg.muted" onClick={() => onChoose(text)}>
          {text}
        </Button>
      ))}
    </Flex>
  );
}

function NumbersField({ axis, onChange, error, inputId }: Props) {
  const kind = axisKind(axis);
  const read = readValues(axis.values, kind);
  const mine = read.problem && t(`builder.values.problem.${read.problem}`, { part: read.part ?? "" });
  return (
    <FieldFrame
      label={t("builder.values.numbers", { axis: axisLabel(axis) })}
      error={mine ?? error}
      help={t("builder.values.numbersHelp")}
    >
      {(described) => (
        <Input
          {...described}
          {...control}
          data-focus={inputId}
          fontFamily="mono"
          inputMode="text"
          autoComplete="off"
          spellCheck={false}
          value={numbersText(axis.values)}
          onChange={({ target }) => onChange({ values: target.value })}
        />
      )}
    </FieldFrame>
  );
}

function LinesField({ axis, onChange, error, inputId }: Props) {
  const texts = plainTexts(readValues(axis.values, "lines").items) ?? [];
  return (
    <FieldFrame label={t("builder.values.lines", { axis: axisLabel(axis) })} error={error}>
      {(described) => (
        <Textarea
          {...described}
          {...control}
          data-focus={inputId}
          autoresize
          rows={3}
          maxH="60"
          value={linesText(texts, axis.kind === "settings" ? undefined : axis.typed)}
          onChange={({ target }) => onChange({ values: readLines(target.value), typed: target.value })}
        />
      )}
    </FieldFrame>
  );
}

/** Toggles in the order of the server's list; chosen values keep the order in which they were chosen. */
function Pick({ axis, name, onChange, error, inputId }: Props & { name: string }) {
  const options = useOptions(name) ?? [];
  const { items } = readValues(axis.values, "names");
  const chosen = new Set(items.map((item) => item.value));
  const toggle = (value: string) =>
    onChange({
      values: writeItems(chosen.has(value) ? items.filter((item) => item.value !== value) : [...items, { value }]),
    });
  return (
    <Box>
      <Flex gap="1.5" wrap="wrap" role="group" aria-label={t("builder.values.pick", { axis: axisLabel(axis) })}>
        {options.map((option, index) => (
          <Button
            key={option.value}
            data-focus={index === 0 ? inputId : undefined}
            size="xs"
            h={{ base: "9", md: "7" }}
            rounded="full"
            variant={chosen.has(option.value) ? "solid" : "outline"}
            aria-pressed={chosen.has(option.value)}
            disabled={option.disabled && !chosen.has(option.value)}
            onClick={() => toggle(option.value)}
          >
            {chosen.has(option.value) && <Check size={13} aria-hidden />}
            {option.label}
          </Button>
        ))}
      </Flex>
      {error && (
        <Text fontSize="xs" color="fg.error" role="alert" mt="1">
          {error}
        </Text>
      )}
    </Box>
  );
}

/** Adds to a list that holds more than texts. */
function AddField({
  axis,
  kind,
  onAdd,
  inputId,
}: {
  axis: SimpleAxis;
  kind: Kind;
  onAdd: (items: Item[]) => void;
  inputId?: string;
}) {
  const [text, setText] = useState("");
  const read: Read = isNumeric(kind) ? readValues(text, kind) : { items: readLines(text).map((value) => ({ value })) };
  const add = () => {
    if (!read.items.length || read.problem) return;
    onAdd(read.items);
    setText("");
  };
  return (
    <Flex gap="2">
      <Input
        {...control}
        data-focus={inputId}
        flex="1"
        aria-label={t("builder.values.add", { axis: axisLabel(axis) })}
        placeholder={isNumeric(kind) ? t("builder.values.numbersHelp") : undefined}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add();
        }}
      />
      <Button size={control.size} variant="outline" disabled={!read.items.length || !!read.problem} onClick={add}>
        {t("builder.values.addButton")}
      </Button>
    </Flex>
  );
}

/** A list that no field of this kind can say: labels, settings, texts with odd ends. */
const needsChips = (values: unknown, kind: Kind): boolean =>
  hasRich(values) || (kind === "lines" && plainTexts(readValues(values, kind).items) === null);

export function ValuesEditor(props: Props) {
  const { axis, onChange, wrong } = props;
  if (axis.kind === "settings") return <SettingsValues {...props} />;
  const kind = axisKind(axis);
  const { items } = readValues(axis.values, kind);
  const name = axis.kind === "parameter" ? axis.parameter : "";
  const chipped = needsChips(axis.values, kind);
  const write = (next: Item[]) => onChange({ values: writeItems(next) });
  return (
    <Flex direction="column" gap="2">
      {kind === "names" && <Pick {...props} name={name} />}
      {kind !== "names" && chipped && (
        <AddField axis={axis} kind={kind} inputId={props.inputId} onAdd={(more) => write([...items, ...more])} />
      )}
      {kind === "lines" && !chipped && <LinesField {...props} />}
      {isNumeric(kind) && !chipped && <NumbersField {...props} />}
      {isNumeric(kind) && !chipped && <Presets parameter={name} onChoose={(values) => onChange({ values })} />}
      {chipped && props.error && (
        <Text fontSize="xs" color="fg.error" role="alert">
          {props.error}
        </Text>
      )}
      <Chips
        items={items}
        wrong={wrong}
        onRemove={(index) => onChange({ values: withoutValue(axis.values, kind, index) })}
        onEdit={(index, item) => write(items.map((one, i) => (i === index ? item : one)))}
      />
    </Flex>
  );
}
