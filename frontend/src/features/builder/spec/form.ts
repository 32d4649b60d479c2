// A spec as the form edits it, and back. Nothing is lost on the way: each axis remembers how it was written, and what
// the form has no field for is carried along. Short forms are kept while the order of the axes allows them.
import { isParameter, type ParameterName, shortOf, shorts } from "./parameters";

export type Spec = Record<string, unknown>;
type Members = Record<string, unknown>;

interface AxisBase {
  /** Of this editing session; nothing that is saved. */
  id: string;
  name?: string;
  written: "short" | "parameters" | "axes";
}
/** `values` as they are written; `typed`: the text of their field, comments included. */
interface Valued extends AxisBase {
  values: unknown;
  typed?: string;
}
export type SimpleAxis =
  | (Valued & { kind: "parameter"; parameter: ParameterName })
  | (Valued & { kind: "variable"; word: string })
  | (Valued & { kind: "replace"; word: string })
  | (Valued & { kind: "settings" });
export type FormAxis =
  | SimpleAxis
  | (AxisBase & { kind: "zip"; axes: SimpleAxis[] })
  | (AxisBase & { kind: "other"; raw: unknown });

export interface FormConstraint {
  id: string;
  value: Members;
}

export interface Form {
  type: string;
  name: string;
  notes: string;
  base: Members;
  baseGeneration?: string;
  /** The text of the prompts' field while there is but one prompt. */
  typedPrompt?: string;
  axes: FormAxis[];
  constraints: FormConstraint[];
  replicates?: Members;
  budget?: Members;
  order?: string;
  reference?: Members;
  /** Members that are unknown, or no such thing as they should be. */
  rest: Members;
  /** Members that were written although nothing is in them. */
  empty: string[];
}

let ids = 0;
export const newId = (): string => `a${++ids}`;

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const onlyHas = (members: Members, allowed: string[]): boolean =>
  Object.keys(members).every((member) => allowed.includes(member));

function readSimple(raw: Members, written: AxisBase["written"]): SimpleAxis | undefined {
  const { parameter, variable, replace, name, values } = raw;
  if (name !== undefined && typeof name !== "string") return undefined;
  const common = { id: newId(), written, values, ...(name === undefined ? {} : { name }) };
  if (typeof parameter === "string" && isParameter(parameter) && onlyHas(raw, ["parameter", "name", "values"]))
    return { ...common, kind: "parameter", parameter };
  if (typeof variable === "string" && onlyHas(raw, ["variable", "name", "values"]))
    return { ...common, kind: "variable", word: variable };
  if (typeof replace === "string" && onlyHas(raw, ["replace", "name", "values"]))
    return { ...common, kind: "replace", word: replace };
  if (name !== undefined && onlyHas(raw, ["name", "values"]) && Array.isArray(values))
    return { ...common, kind: "settings" };
  return undefined;
}

function readAxis(raw: unknown): FormAxis {
  const other: FormAxis = { id: newId(), written: "axes", kind: "other", raw };
  if (!isObject(raw)) return other;
  if (!Array.isArray(raw.zip)) return readSimple(raw, "axes") ?? other;
  if (!onlyHas(raw, ["zip", "name"]) || (raw.name !== undefined && typeof raw.name !== "string")) return other;
  const axes = raw.zip.map((one: unknown) => (isObject(one) ? readSimple(one, "axes") : undefined));
  if (!axes.every((one) => one !== undefined)) return other;
  return { id: newId(), written: "axes", kind: "zip", axes, ...(raw.name === undefined ? {} : { name: raw.name }) };
}

function shortAxis(parameter: ParameterName, values: unknown, written: "short" | "parameters"): FormAxis {
  return { id: newId(), written, kind: "parameter", parameter, values };
}

/** All axes in the order that they have for the server. */
function readAxes(spec: Spec, rest: Members): FormAxis[] {
  const ranked: { rank: number; axis: FormAxis }[] = [];
  for (const [member, { parameter, rank }] of Object.entries(shorts))
    if (spec[member] !== undefined) ranked.push({ rank, axis: shortAxis(parameter, spec[member], "short") });
  if (isObject(spec.parameters) && Object.keys(spec.parameters).every(isParameter)) {
    for (const [name, values] of Object.entries(spec.parameters))
      ranked.push({ rank: 7, axis: shortAxis(name as ParameterName, values, "parameters") });
  } else if (spec.parameters !== undefined) rest.parameters = spec.parameters;
  if (Array.isArray(spec.axes)) for (const raw of spec.axes) ranked.push({ rank: 8, axis: readAxis(raw) });
  else if (spec.axes !== undefined) rest.axes = spec.axes;
  return ranked.sort((a, b) => a.rank - b.rank).map(({ axis }) => axis);
}

const texts = {
  type: "type",
  name: "name",
  notes: "notes",
  order: "order",
  base_generation: "baseGeneration",
} as const;
const objects = { base: "base", replicates: "replicates", budget: "budget", reference: "reference" } as const;
const handled = new Set([...Object.keys(shorts), "version", "parameters", "axes", "constraints"]);

export function emptyForm(type = "convergence"): Form {
  return { type, name: "", notes: "", base: {}, axes: [], constraints: [], rest: {}, empty: [] };
}

export function fromSpec(spec: Spec): Form {
  const form = emptyForm("");
  form.axes = readAxes(spec, form.rest);
  if (spec.version !== 1) form.rest.version = spec.version;
  if (Array.isArray(spec.constraints) && spec.constraints.every(isObject))
    form.constraints = spec.constraints.map((value) => ({ id: newId(), value }));
  else if (spec.constraints !== undefined) form.rest.constraints = spec.constraints;
  for (const [member, value] of Object.entries(spec)) {
    const isEmpty = value === "" || (typeof value === "object" && value !== null && !Object.keys(value).length);
    if (isEmpty && !Object.hasOwn(shorts, member)) form.empty.push(member);
    if (handled.has(member)) continue;
    if (Object.hasOwn(texts, member) && typeof value === "string") form[texts[member as keyof typeof texts]] = value;
    else if (Object.hasOwn(objects, member) && isObject(value)) form[objects[member as keyof typeof objects]] = value;
    else form.rest[member] = value;
  }
  return form;
}

function writeSimple(axis: SimpleAxis): Members {
  const name = axis.name === undefined ? {} : { name: axis.name };
  if (axis.kind === "parameter") return { parameter: axis.parameter, ...name, values: axis.values };
  if (axis.kind === "variable") return { variable: axis.word, ...name, values: axis.values };
  if (axis.kind === "replace") return { replace: axis.word, ...name, values: axis.values };
  return { ...name, values: axis.values };
}

function writeAxis(axis: FormAxis): unknown {
  if (axis.kind === "other") return axis.raw;
  if (axis.kind !== "zip") return writeSimple(axis);
  return { ...(axis.name === undefined ? {} : { name: axis.name }), zip: axis.axes.map(writeSimple) };
}

/** The member of the spec that an axis is written to. */
function slotOf(axis: FormAxis): { member: string; rank: number } {
  const general = { member: "axes", rank: 8 };
  if (axis.kind !== "parameter" || axis.name !== undefined) return general;
  if (axis.written === "parameters") return { member: "parameters", rank: 7 };
  const short = axis.written === "short" ? shortOf(axis.parameter) : undefined;
  return short ? { member: short, rank: shorts[short]?.rank ?? 8 } : general;
}

/** Whether the axes keep their order, and each its own place, when they are written as they remember. */
function keepsOrder(axes: FormAxis[]): boolean {
  let last = -1;
  const taken = new Set<string>();
  return axes.every((axis) => {
    const { member, rank } = slotOf(axis);
    const key = member === "parameters" && axis.kind === "parameter" ? `parameters ${axis.parameter}` : member;
    const good = rank >= last && (member === "axes" || !taken.has(key));
    last = rank;
    taken.add(key);
    return good;
  });
}

function writeAxes(axes: FormAxis[], spec: Spec, places: Map<string, string>): void {
  const asRemembered = keepsOrder(axes);
  for (const axis of axes) {
    const member = asRemembered ? slotOf(axis).member : "axes";
    if (member === "parameters" && axis.kind === "parameter") {
      spec.parameters = { ...(spec.parameters as Members), [axis.parameter]: axis.values };
      places.set(axis.id, `/parameters/${axis.parameter}`);
    } else if (member !== "axes" && axis.kind === "parameter") {
      spec[member] = axis.values;
      places.set(axis.id, `/${member}`);
    } else {
      const list = (spec.axes as unknown[] | undefined) ?? [];
      places.set(axis.id, `/axes/${list.length}`);
      if (axis.kind === "zip") axis.axes.forEach((one, i) => void places.set(one.id, `/axes/${list.length}/zip/${i}`));
      spec.axes = [...list, writeAxis(axis)];
    }
  }
}

export interface Written {
  spec: Spec;
  /** Id of an axis or constraint to its JSON pointer. */
  places: Map<string, string>;
}

export function toSpec(form: Form): Written {
  const places = new Map<string, string>();
  const spec: Spec = { version: 1, type: form.type };
  const kept = (member: string, value: unknown, filled: boolean) => {
    if (value !== undefined && (filled || form.empty.includes(member))) spec[member] = value;
  };
  const filled = (members: Members | undefined) => !!members && Object.keys(members).length > 0;
  kept("name", form.name, form.name !== "");
  kept("notes", form.notes, form.notes !== "");
  kept("base_generation", form.baseGeneration, !!form.baseGeneration);
  kept("base", form.base, filled(form.base));
  writeAxes(form.axes, spec, places);
  kept("parameters", spec.parameters ?? {}, spec.parameters !== undefined);
  kept("axes", spec.axes ?? [], spec.axes !== undefined);
  form.constraints.forEach(({ id }, i) => void places.set(id, `/constraints/${i}`));
  kept(
    "constraints",
    form.constraints.map(({ value }) => value),
    form.constraints.length > 0,
  );
  kept("replicates", form.replicates, filled(form.replicates));
  kept("budget", form.budget, filled(form.budget));
  kept("order", form.order, !!form.order);
  kept("reference", form.reference, filled(form.reference));
  if (form.type === "" && !form.empty.includes("type")) delete spec.type;
  Object.assign(spec, form.rest);
  if (spec.version === undefined) delete spec.version;
  return { spec, places };
}

/** What the server calls an axis. */
export function axisName(axis: FormAxis): string {
  if (axis.name) return axis.name;
  if (axis.kind === "parameter") return axis.parameter;
  if (axis.kind === "variable" || axis.kind === "replace") return axis.word;
  if (axis.kind === "zip") return axis.axes.map(axisName).join("+");
  return "";
}
