// What can be added to an experiment, from its spec: one text per axis, or one per parameter of a zipped axis.
import type { ExperimentSpec, Schemas } from "@/api/client";

/** The server fills the priority in. */
export type Extension = Omit<Schemas["ExperimentExtension"], "priority">;

export interface Extendable {
  axis: string;
  /** Parameters of a zip; of an ordinary axis, none. */
  zipped: string[];
  numeric: boolean;
}

/** Axes that take more values as text. Those of prompts have a field of their own; named settings are objects. */
export function extendable(spec: ExperimentSpec, axes: Schemas["AxisValues"][]): Extendable[] {
  const found: Extendable[] = [];
  for (const axis of axes) {
    const written = spec.axes?.find((one) => [one.name, one.parameter, one.variable, one.replace].includes(axis.name));
    if (axis.parameter === "prompt" && !written) continue;
    const zipped = (written?.zip ?? []).map((one) => one.parameter ?? one.name ?? "").filter(Boolean);
    if (!axis.parameter && !zipped.length && !written?.variable && !written?.replace) continue;
    found.push({ axis: axis.name, zipped, numeric: axis.numeric ?? false });
  }
  return found;
}

export interface Wanted {
  /** Text by axis, and by "axis/parameter" of a zip. */
  values: Record<string, string>;
  prompts: string;
  replicates: number | undefined;
}

export function extension(wanted: Wanted, axes: Extendable[]): Extension | undefined {
  const body: Extension = {};
  const prompts = wanted.prompts
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (prompts.length) body.prompts = prompts;
  if (wanted.replicates) body.replicates = wanted.replicates;
  const more = axes.flatMap(({ axis, zipped }): NonNullable<Extension["axes"]> => {
    const text = (key: string) => wanted.values[key]?.trim() ?? "";
    if (!zipped.length) return text(axis) ? [{ parameter: axis, values: text(axis) }] : [];
    const zip = Object.fromEntries(zipped.map((name) => [name, text(`${axis}/${name}`)]).filter(([, value]) => value));
    return Object.keys(zip).length ? [{ parameter: axis, zip }] : [];
  });
  if (more.length) body.axes = more;
  return Object.keys(body).length ? body : undefined;
}

/** The field that a problem's pointer means: "/axes/steps", "/axes/size/width" of a zip, "/axes/1/values" (the second
 * axis that was sent), "/replicates". */
export function fieldOf(pointer: string, body: Extension): string | undefined {
  const [, member = "", which = "", ...rest] = pointer.split("/");
  if (member !== "axes") return member;
  const axis = body.axes?.[Number(which)] ?? body.axes?.find(({ parameter }) => parameter === which);
  if (!axis) return undefined;
  const name = rest.find((part) => axis.zip && part in axis.zip);
  return name ? `${axis.parameter}/${name}` : axis.parameter;
}
