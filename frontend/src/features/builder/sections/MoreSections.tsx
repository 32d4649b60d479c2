// Seeds, budget, order, reference, name and notes.
import { Box, Input, SimpleGrid, Text, Textarea } from "@chakra-ui/react";
import { FieldFrame, NumberField, SelectField } from "@/features/recipe/fields";
import { formatSeconds, t } from "@/i18n";
import { control } from "../control";
import { useProblemsAt } from "../plan";
import { axisKind, varies } from "../spec/edits";
import { axisName, type Form } from "../spec/form";
import { itemLabel, numbersText, readValues } from "../spec/values";
import { useChange, useForm } from "../store";
import { axisLabel } from "../words";
import { Section } from "./Section";

type Group = "replicates" | "budget" | "reference";

/** One member of a group; undefined takes it out, and the group with its last member. */
function withMember(form: Form, group: Group, member: string, value: unknown): Form {
  const { [member]: _, ...rest } = form[group] ?? {};
  const next = value === undefined ? rest : { ...rest, [member]: value };
  return { ...form, [group]: Object.keys(next).length ? next : undefined };
}

function usePut() {
  const change = useChange();
  return (group: Group, member: string, value: unknown) =>
    change((form) => withMember(form, group, member, value), `${group} ${member}`);
}

function useError(pointer: string): string | undefined {
  const problems = useProblemsAt(pointer);
  return problems.length ? [...new Set(problems.map(({ expected }) => expected))].join("; ") : undefined;
}

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function SeedsField({ value, label, help, placeholder, pointer, onChange }: SeedsProps) {
  const error = useError(pointer);
  return (
    <FieldFrame label={label} help={help} error={error}>
      {(described) => (
        <Input
          {...described}
          {...control}
          inputMode="numeric"
          autoComplete="off"
          placeholder={placeholder}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </FieldFrame>
  );
}
interface SeedsProps {
  value: string;
  label: string;
  help?: string;
  placeholder?: string;
  pointer: string;
  onChange: (text: string) => void;
}

/** Seeds as typed: numbers where all can be read, else the text, so that the server says what is wrong. */
function seedList(text: string): unknown {
  if (text.trim() === "") return undefined;
  const { items, problem } = readValues(text, "seed");
  return problem || /,\s*$/.test(text) ? text : items.map((item) => item.value);
}

function firstSeed(text: string): unknown {
  const digits = text.trim();
  if (digits === "") return undefined;
  return /^\d+$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : digits;
}

export function ReplicatesSection() {
  const form = useForm();
  const change = useChange();
  const put = usePut();
  const { count, seed, seeds } = form.replicates ?? {};
  const general = useProblemsAt("/replicates").filter(({ pointer }) => pointer === "/replicates");
  const countError = useError("/replicates/count");
  const base = form.base.seed;
  const listed = seeds !== undefined;
  // A first seed counts only together with how many there are.
  const putSeed = (value: unknown) =>
    change((old) => {
      const counted = value === undefined || count !== undefined ? old : withMember(old, "replicates", "count", 1);
      return withMember(counted, "replicates", "seed", value);
    }, "replicates seed");
  return (
    <Section
      title={t("builder.replicates.title")}
      help={varies(form, "seed") ? t("builder.replicates.axis") : t("builder.replicates.help")}
      problems={general.map(({ expected }) => expected)}
    >
      <SimpleGrid columns={{ base: 1, sm: 3 }} gap="3">
        {!listed && (
          <>
            <NumberField
              label={t("builder.replicates.count")}
              value={number(count)}
              min={1}
              placeholder="1"
              error={countError}
              onChange={(value) => put("replicates", "count", value)}
            />
            <SeedsField
              label={t("builder.replicates.first")}
              pointer="/replicates/seed"
              value={seed === undefined ? "" : String(seed)}
              placeholder={base === undefined ? "0" : String(base)}
              onChange={(text) => putSeed(firstSeed(text))}
            />
          </>
        )}
        {count === undefined && seed === undefined && (
          <SeedsField
            label={t("builder.replicates.list")}
            help={listed ? undefined : t("builder.replicates.listHelp")}
            pointer="/replicates/seeds"
            value={numbersText(seeds)}
            onChange={(text) => put("replicates", "seeds", seedList(text))}
          />
        )}
      </SimpleGrid>
    </Section>
  );
}

function Reference() {
  const form = useForm();
  const change = useChange();
  const put = usePut();
  const error = useError("/reference");
  const { axis: name, value } = form.reference ?? {};
  const axis = form.axes.find((one) => axisName(one) === name);
  const values =
    axis && axis.kind !== "zip" && axis.kind !== "other" ? readValues(axis.values, axisKind(axis)).items : [];
  const chosen = values.find((item) => (item.value ?? item.label) === value);
  return (
    <>
      <SelectField
        label={t("builder.limits.reference")}
        value={typeof name === "string" ? name : undefined}
        none={t("builder.limits.referenceAuto")}
        options={form.axes.map((one) => ({ value: axisName(one), label: axisLabel(one) }))}
        error={error}
        onChange={(next) => change((old) => ({ ...old, reference: next ? { axis: next } : undefined }))}
      />
      {axis && values.length > 0 && (
        <SelectField
          label={t("builder.limits.referenceValue", { axis: axisLabel(axis) })}
          value={value === undefined ? undefined : chosen ? String(values.indexOf(chosen)) : String(value)}
          none={t("builder.limits.referenceLast")}
          options={values.map((item, index) => ({ value: String(index), label: itemLabel(item) }))}
          onChange={(next) => {
            const item = next === undefined ? undefined : values[Number(next)];
            put("reference", "value", item && (item.value ?? item.label));
          }}
        />
      )}
    </>
  );
}

const orders = ["coarse", "interleaved", "listed"] as const;

export function LimitsSection() {
  const form = useForm();
  const change = useChange();
  const put = usePut();
  const { seconds, cells } = form.budget ?? {};
  const secondsError = useError("/budget/seconds");
  const cellsError = useError("/budget/cells");
  const order = orders.find((one) => one === form.order) ?? "coarse";
  const secondsRead = number(seconds);
  return (
    <Section title={t("builder.limits.title")}>
      <SimpleGrid columns={{ base: 1, sm: 2 }} gap="3">
        <NumberField
          label={t("builder.limits.seconds")}
          value={secondsRead}
          placeholder={t("builder.limits.none")}
          error={secondsError}
          help={
            secondsRead && secondsRead >= 60
              ? t("builder.limits.secondsRead", { time: formatSeconds(secondsRead) })
              : undefined
          }
          onChange={(value) => put("budget", "seconds", value)}
        />
        <NumberField
          label={t("builder.limits.cells")}
          value={number(cells)}
          min={1}
          placeholder={t("builder.limits.none")}
          error={cellsError}
          onChange={(value) => put("budget", "cells", value)}
        />
        <SelectField
          label={t("builder.limits.order")}
          value={form.order ?? "coarse"}
          options={orders.map((one) => ({ value: one, label: t(`builder.limits.${one}`) }))}
          help={t(`builder.limits.${order}Help`)}
          onChange={(next) => change((old) => ({ ...old, order: next === "coarse" && !old.order ? undefined : next }))}
        />
        <Reference />
      </SimpleGrid>
    </Section>
  );
}

export function AboutSection() {
  const form = useForm();
  const change = useChange();
  const nameError = useError("/name");
  const notesError = useError("/notes");
  return (
    <Section title={t("builder.about.title")}>
      <FieldFrame label={t("builder.about.name")} error={nameError}>
        {(described) => (
          <Input
            {...described}
            {...control}
            data-focus="name"
            maxLength={200}
            placeholder={t("builder.about.namePlaceholder")}
            value={form.name}
            onChange={({ target }) => change((old) => ({ ...old, name: target.value }), "name")}
          />
        )}
      </FieldFrame>
      <Box asChild mt="2">
        <details open={form.notes !== "" || undefined}>
          <Box as="summary" cursor="pointer" fontSize="xs" fontWeight="medium" color="fg.muted" py="1">
            {t("builder.about.more")}
          </Box>
          <Textarea
            {...control}
            autoresize
            rows={3}
            maxLength={10000}
            aria-label={t("builder.about.notes")}
            value={form.notes}
            onChange={({ target }) => change((old) => ({ ...old, notes: target.value }), "notes")}
          />
          {notesError && (
            <Text fontSize="xs" color="fg.error" role="alert">
              {notesError}
            </Text>
          )}
        </details>
      </Box>
    </Section>
  );
}
