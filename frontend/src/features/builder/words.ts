// Names of things in the user's words.
import { type MessageKey, t } from "@/i18n";
import { axisName, type FormAxis } from "./spec/form";
import { isParameter } from "./spec/parameters";

export const parameterLabel = (name: string): string =>
  isParameter(name) ? t(`common.parameter.${name}` as MessageKey) : name;

export function axisLabel(axis: FormAxis): string {
  if (axis.name) return axis.name;
  if (axis.kind === "variable") return `{${axis.word}}`;
  if (axis.kind === "replace") return t("builder.axes.title_replace", { word: axis.word });
  if (axis.kind === "zip") return axis.axes.map(axisLabel).join(" + ");
  return parameterLabel(axisName(axis)) || "?";
}
