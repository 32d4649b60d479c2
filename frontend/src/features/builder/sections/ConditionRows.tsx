// A condition as rows: "Steps at most 8 and Model is demo".
import { Button, Flex, IconButton, Input, NativeSelect, Text } from "@chakra-ui/react";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { t } from "@/i18n";
import {
  type Condition,
  changeOperator,
  conditionOf,
  operatorsFor,
  type Row,
  rowsOf,
  scalarOf,
} from "../spec/condition";
import { axisKind, variables } from "../spec/edits";
import type { Form } from "../spec/form";
import { parameterNames } from "../spec/parameters";
import { readValues } from "../spec/values";
import { useForm } from "../store";
import { ScalarInput } from "../values/SetEditor";
import { parameterLabel } from "../words";

/** Parameters that vary come first: those are what rules are about. */
function useNames(): string[] {
  const form = useForm();
  const varied = form.axes.flatMap((axis) => (axis.kind === "zip" ? axis.axes : axis.kind === "other" ? [] : [axis]));
  const first = varied.flatMap((axis) =>
    axis.kind === "parameter" ? [axis.parameter] : axis.kind === "variable" && axis.word ? [axis.word] : [],
  );
  return [...new Set([...first, ...variables(form).map(({ word }) => word), ...parameterNames])];
}

function choicesOf(form: Form, name: string): string[] | undefined {
  const axis = form.axes.find((one) => one.kind === "variable" && one.word === name);
  if (axis?.kind !== "variable") return undefined;
  return readValues(axis.values, axisKind(axis)).items.map((item) => String(item.value ?? ""));
}

/** Values separated by commas; the text is kept as typed until it is left. */
function ListInput({ row, onChange, invalid }: { row: Row; onChange: (value: unknown) => void; invalid?: boolean }) {
  const [typed, setTyped] = useState<string>();
  const values = Array.isArray(row.value) ? row.value : [];
  return (
    <Input
      size="sm"
      bg="bg.panel"
      flex="1 1 8rem"
      minW="24"
      aria-label={t("builder.constraints.value", { name: parameterLabel(row.name) })}
      aria-invalid={invalid || undefined}
      title={t("builder.constraints.list")}
      placeholder={t("builder.constraints.list")}
      value={typed ?? values.join(", ")}
      onBlur={() => setTyped(undefined)}
      onChange={({ target }) => {
        setTyped(target.value);
        const parts = target.value.split(",").map((part) => part.trim());
        onChange(parts.filter((part) => part !== "").map((part) => scalarOf(row.name, part)));
      }}
    />
  );
}

interface RowProps {
  row: Row;
  names: string[];
  invalid: boolean;
  onChange: (row: Row) => void;
  onRemove: () => void;
}

function ConditionRow({ row, names, invalid, onChange, onRemove }: RowProps) {
  const form = useForm();
  const name = parameterLabel(row.name);
  const value = (next: unknown) => onChange({ ...row, value: next });
  const rename = (next: string) => {
    const operators = operatorsFor(next);
    onChange({ name: next, operator: operators.includes(row.operator) ? row.operator : "is", value: "" });
  };
  return (
    <Flex gap="1.5" align="center" wrap="wrap">
      <NativeSelect.Root size="sm" w="auto" flex="1 1 7rem" minW="24">
        <NativeSelect.Field
          aria-label={t("builder.constraints.parameter")}
          bg="bg.panel"
          value={row.name}
          onChange={({ target }) => rename(target.value)}
        >
          {[...new Set([row.name, ...names])].map((one) => (
            <option key={one} value={one}>
              {parameterLabel(one)}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {row.operator === "other" ? (
        <Text fontSize="sm" fontFamily="mono" title={t("builder.constraints.other")}>
          {JSON.stringify(row.value)}
        </Text>
      ) : (
        <NativeSelect.Root size="sm" w="auto" flex="0 1 7rem" minW="20">
          <NativeSelect.Field
            aria-label={t("builder.constraints.operator", { name })}
            bg="bg.panel"
            value={row.operator}
            onChange={({ target }) => onChange(changeOperator(row, target.value as Row["operator"]))}
          >
            {operatorsFor(row.name).map((one) => (
              <option key={one} value={one}>
                {t(`builder.constraints.op.${one}`)}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      )}
      {(row.operator === "in" || row.operator === "notIn") && (
        <ListInput row={row} onChange={value} invalid={invalid} />
      )}
      {["is", "isNot", "min", "max"].includes(row.operator) && (
        <ScalarInput
          name={row.name}
          label={t("builder.constraints.value", { name })}
          value={row.value}
          invalid={invalid}
          choices={choicesOf(form, row.name)}
          onChange={value}
        />
      )}
      <IconButton
        size="xs"
        variant="ghost"
        aria-label={t("builder.constraints.removeRow", { name })}
        onClick={onRemove}
      >
        <X size={14} />
      </IconButton>
    </Flex>
  );
}

interface Props {
  condition: unknown;
  onChange: (condition: Condition) => void;
  /** Names whose tests the server finds fault with. */
  wrong: ReadonlySet<string>;
}

export function ConditionRows({ condition, onChange, wrong }: Props) {
  const names = useNames();
  const rows = rowsOf(condition);
  const free = names.find((name) => !rows.some((row) => row.name === name)) ?? "steps";
  const put = (next: Row[]) => onChange(conditionOf(next));
  return (
    <Flex direction="column" gap="2" flex="1" minW="0">
      {rows.map((row, index) => (
        // A name and operator stand once in a condition, but both are being edited; the place stays.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Flex key={index} gap="2" align="center">
          {index > 0 && (
            <Text fontSize="xs" color="fg.muted">
              {t("builder.constraints.and")}
            </Text>
          )}
          <ConditionRow
            row={row}
            names={names}
            invalid={wrong.has(row.name)}
            onChange={(next) => put(rows.map((one) => (one === row ? next : one)))}
            onRemove={() => put(rows.filter((one) => one !== row))}
          />
        </Flex>
      ))}
      <Button
        size="xs"
        variant="ghost"
        alignSelf="start"
        onClick={() => put([...rows, { name: free, operator: "is", value: "" }])}
      >
        <Plus size={14} />
        {t("builder.constraints.addWhere")}
      </Button>
    </Flex>
  );
}
