// Rules for combinations that make no sense, each as a sentence: where ... there must be / set / leave out.
import { Box, Button, Flex, Heading, IconButton, Input, NativeSelect, Text } from "@chakra-ui/react";
import { ArrowUp, Plus, X } from "lucide-react";
import { t } from "@/i18n";
import { focusSoon } from "../focus";
import { usePointer, useProblemsAt } from "../plan";
import { type Action, actionOf, actions, conditionText, newConstraint, setText, withAction } from "../spec/constraints";
import type { FormConstraint } from "../spec/form";
import { useChange, useForm } from "../store";
import { SetEditor } from "../values/SetEditor";
import { parameterLabel } from "../words";
import { ConditionRows } from "./ConditionRows";
import { Section } from "./Section";

const words = {
  name: parameterLabel,
  operator: (operator: Parameters<typeof operatorWord>[0]) => operatorWord(operator),
  get and() {
    return t("builder.constraints.and");
  },
};
function operatorWord(operator: "is" | "isNot" | "in" | "notIn" | "min" | "max" | "other"): string {
  return t(`builder.constraints.op.${operator}`);
}

export function sentence(value: Record<string, unknown>): string {
  const action = actionOf(value);
  const rows = conditionText(value.where, words);
  const what =
    action === "drop"
      ? t("builder.constraints.sentenceDrop")
      : action === "set"
        ? setText(value.set, parameterLabel)
        : conditionText(value.require, words);
  const where = rows ? t("builder.constraints.sentenceWhere", { rows }) : t("builder.constraints.everywhere");
  return t("builder.constraints.sentence", { where, what });
}

type Put = (value: Record<string, unknown>) => void;

function Then({
  value,
  put,
  number,
  wrong,
}: {
  value: Record<string, unknown>;
  put: Put;
  number: number;
  wrong: Set<string>;
}) {
  const action = actionOf(value);
  return (
    <Flex gap="2" wrap="wrap" align="start">
      <NativeSelect.Root size="sm" w="auto" flex={{ base: "1 1 100%", sm: "0 0 11rem" }}>
        <NativeSelect.Field
          aria-label={t("builder.constraints.action", { n: number })}
          bg="bg.panel"
          value={action}
          onChange={({ target }) => put(withAction(value, target.value as Action))}
        >
          {actions.map((one) => (
            <option key={one} value={one}>
              {t(`builder.constraints.then_${one}`)}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {action === "require" && (
        <ConditionRows condition={value.require} wrong={wrong} onChange={(require) => put({ ...value, require })} />
      )}
      {action === "set" && (
        <SetEditor value={(value.set ?? {}) as Record<string, unknown>} onChange={(set) => put({ ...value, set })} />
      )}
    </Flex>
  );
}

function Reason({ value, put }: { value: Record<string, unknown>; put: Put }) {
  if (actionOf(value) === "set") return null;
  return (
    <Flex gap="2" align="center">
      <Text fontSize="sm" fontWeight="medium" flex="0 0 4.5rem">
        {t("builder.constraints.because")}
      </Text>
      <Input
        size="sm"
        bg="bg.panel"
        aria-label={t("builder.constraints.because")}
        placeholder={t("builder.constraints.becauseHelp")}
        value={typeof value.reason === "string" ? value.reason : ""}
        onChange={({ target }) => {
          const { reason: _, ...rest } = value;
          put(target.value ? { ...rest, reason: target.value } : rest);
        }}
      />
    </Flex>
  );
}

function Rule({ constraint, index }: { constraint: FormConstraint; index: number }) {
  const change = useChange();
  const { id, value } = constraint;
  const pointer = usePointer(id) ?? "/none";
  const problems = useProblemsAt(pointer);
  const wrong = new Set(problems.map((one) => one.pointer.slice(pointer.length).split("/")[2] ?? ""));
  const number = index + 1;
  const put: Put = (next) =>
    change(
      (form) => ({ ...form, constraints: form.constraints.map((one) => (one.id === id ? { id, value: next } : one)) }),
      id,
    );
  const move = () =>
    change((form) => ({
      ...form,
      constraints: form.constraints.filter((one) => one.id !== id).toSpliced(index - 1, 0, constraint),
    }));
  const remove = () => change((form) => ({ ...form, constraints: form.constraints.filter((one) => one.id !== id) }));
  return (
    <Box as="li" p="3" borderWidth="1px" rounded="md" listStyleType="none">
      <Flex align="center" gap="2" mb="2">
        <Heading as="h3" size="xs" fontWeight="medium" flex="1" minW="0" tabIndex={-1} data-focus={id}>
          {sentence(value)}
        </Heading>
        {index > 0 && (
          <IconButton size="xs" variant="ghost" aria-label={t("builder.constraints.up", { n: number })} onClick={move}>
            <ArrowUp size={15} />
          </IconButton>
        )}
        <IconButton
          size="xs"
          variant="ghost"
          aria-label={t("builder.constraints.remove", { n: number })}
          onClick={remove}
        >
          <X size={15} />
        </IconButton>
      </Flex>
      <Flex direction="column" gap="2" role="group" aria-label={t("builder.constraints.rule", { n: number })}>
        <Flex gap="2" align="start" wrap="wrap">
          <Text fontSize="sm" fontWeight="medium" flex={{ base: "1 1 100%", sm: "0 0 4.5rem" }} pt={{ sm: "1.5" }}>
            {t("builder.constraints.where")}
          </Text>
          <ConditionRows
            condition={value.where}
            wrong={wrong}
            onChange={(where) => {
              const { where: _, ...rest } = value;
              put(Object.keys(where).length ? { where, ...rest } : rest);
            }}
          />
        </Flex>
        <Then value={value} put={put} number={number} wrong={wrong} />
        <Reason value={value} put={put} />
        {problems.map((one) => (
          <Text key={one.pointer + one.expected} fontSize="xs" color="fg.error" role="alert">
            {one.expected}
          </Text>
        ))}
      </Flex>
    </Box>
  );
}

export function ConstraintsSection() {
  const form = useForm();
  const change = useChange();
  const first = form.axes.find((axis) => axis.kind === "parameter");
  const name = first?.kind === "parameter" ? first.parameter : "model";
  const add = (action: Action) => {
    const made = newConstraint(action, name);
    change((old) => ({ ...old, constraints: [...old.constraints, made] }));
    focusSoon(made.id);
  };
  return (
    <Section title={t("builder.constraints.title")} help={t("builder.constraints.help")}>
      {form.constraints.length > 0 && (
        <Flex as="ol" direction="column" gap="3" mb="3">
          {form.constraints.map((constraint, index) => (
            <Rule key={constraint.id} constraint={constraint} index={index} />
          ))}
        </Flex>
      )}
      <Flex gap="2" wrap="wrap">
        {actions.map((action) => (
          <Button
            key={action}
            size={{ base: "sm", md: "xs" }}
            variant="outline"
            title={t(`builder.constraints.${action}Help`)}
            onClick={() => add(action)}
          >
            <Plus size={14} />
            {t(`builder.constraints.${action}`)}
          </Button>
        ))}
      </Flex>
    </Section>
  );
}
