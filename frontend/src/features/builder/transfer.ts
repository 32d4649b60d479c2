// Experiments in and out of files.
import { saveBlob } from "@/api/client";
import { t } from "@/i18n";
import { JsonError, lineAt, parseJson } from "@/lib/json";
import { fileName } from "./fileName";
import { type Form, fromSpec, type Spec } from "./spec/form";
import { written } from "./store";

const isObject = (value: unknown): value is Spec =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a file or the clipboard: a spec, or what the API takes and gives with a spec in it. Throws words for the user. */
export function readExperiment(text: string): Form {
  let value: unknown;
  try {
    value = parseJson(text).value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const line = lineAt(text, error.offset);
    throw new Error(t("builder.problem.notJson", { what: t(`builder.problem.json_${error.problem}`), line }));
  }
  if (!isObject(value)) throw new Error(t("builder.problem.notObject"));
  const inner = isObject(value.spec) ? value.spec : isObject(value.config) ? value.config : value;
  if (!["type", "axes", "base", "prompts"].some((member) => Object.hasOwn(inner, member)))
    throw new Error(t("builder.problem.notObject"));
  const name = inner !== value && typeof value.name === "string" && !inner.name ? { name: value.name } : {};
  return fromSpec({ ...inner, ...name });
}

export function exportForm(form: Form): void {
  const text = `${JSON.stringify(written(form).spec, null, 2)}\n`;
  saveBlob(new Blob([text], { type: "application/json" }), fileName(form.name));
}
