// More values, prompts or replicates for an experiment that has run: only the new cells are drawn.
import { Button, Stack, Text } from "@chakra-ui/react";
import { type FormEvent, useId, useState } from "react";
import { asProblem, type Experiment } from "@/api/client";
import { notify } from "@/components/notify";
import { Loading, ProblemNotice } from "@/components/states";
import { NumberField, TextField } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { axisName } from "./coordinates";
import { type Extendable, extendable, extension, fieldOf, type Wanted } from "./extend";
import { Sheet } from "./Sheet";
import { useExtend } from "./useActions";
import { useCells } from "./useRun";

const keysOf = ({ axis, zipped }: Extendable): string[] =>
  zipped.length ? zipped.map((name) => `${axis}/${name}`) : [axis];

interface Props {
  experiment: Experiment;
  onClose: () => void;
}

export function ExtendDialog({ experiment, onClose }: Props) {
  const form = useId();
  const { axes: values, replicates, error } = useCells(experiment.id, undefined);
  const axes = extendable(experiment.config, values);
  const [wanted, setWanted] = useState<Wanted>({ values: {}, prompts: "", replicates: undefined });
  const extend = useExtend(experiment.id);
  const body = extension(wanted, axes);
  const refused = extend.error ? asProblem(extend.error) : undefined;
  const fields = new Map(
    refused?.errors.map((one) => [extend.variables && fieldOf(one.pointer, extend.variables), one.expected]),
  );
  const errorAt = (key: string) => fields.get(key);
  const shown = [...axes.flatMap(keysOf), "prompts", "replicates"];
  const elsewhere =
    refused && (!refused.errors.length || [...fields.keys()].some((key) => !key || !shown.includes(key)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!body) return;
    extend.mutate(
      { ...body, priority: "batch" },
      {
        onSuccess: () => {
          notify.done(t("monitor.extend.done"));
          onClose();
        },
      },
    );
  };
  const set = (key: string, text: string) => setWanted((old) => ({ ...old, values: { ...old.values, [key]: text } }));
  const known = new Map(values.map((axis) => [axis.name, axis.values.map((value) => value.label).join(", ")]));
  return (
    <Sheet
      title={t("monitor.extend.title")}
      onClose={onClose}
      footer={
        <Button type="submit" form={form} disabled={!body} loading={extend.isPending}>
          {t("monitor.extend.submit")}
        </Button>
      }
    >
      <form id={form} onSubmit={submit}>
        <Stack gap="4">
          <Text color="fg.muted">{t("monitor.extend.help")}</Text>
          {elsewhere && <ProblemNotice error={refused} />}
          {error ? <ProblemNotice error={error} /> : !values.length && <Loading />}
          {axes.map((axis) => (
            <AxisFields
              key={axis.axis}
              axis={axis}
              known={known.get(axis.axis) ?? ""}
              values={wanted.values}
              errorAt={errorAt}
              onChange={set}
            />
          ))}
          <TextField
            label={t("monitor.extend.prompts")}
            value={wanted.prompts}
            error={errorAt("prompts")}
            onChange={(prompts) => setWanted((old) => ({ ...old, prompts }))}
          />
          <NumberField
            label={t("monitor.extend.replicates")}
            help={t("monitor.extend.replicatesNow", { n: replicates })}
            min={1}
            value={wanted.replicates}
            error={errorAt("replicates")}
            onChange={(count) => setWanted((old) => ({ ...old, replicates: count || undefined }))}
          />
        </Stack>
      </form>
    </Sheet>
  );
}

interface AxisProps {
  axis: Extendable;
  /** Values that it has. */
  known: string;
  values: Record<string, string>;
  errorAt: (key: string) => string | undefined;
  onChange: (key: string, text: string) => void;
}

function AxisFields({ axis, known, values, errorAt, onChange }: AxisProps) {
  return (
    <Stack gap="1">
      {keysOf(axis).map((key) => (
        <TextField
          key={key}
          rows={1}
          label={t("monitor.extend.values", { axis: axisName(key.split("/").at(-1) ?? key) })}
          placeholder={axis.numeric ? t("monitor.extend.numeric") : t("monitor.extend.names")}
          value={values[key]}
          error={errorAt(key)}
          onChange={(text) => onChange(key, text)}
        />
      ))}
      <Text fontSize="xs" color="fg.muted" lineClamp="2">
        {t("monitor.extend.known", { values: known })}
      </Text>
    </Stack>
  );
}
