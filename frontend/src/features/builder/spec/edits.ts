// What the form does when somebody adds, moves, ties or removes: pure functions from form to form.
import { axisName, type Form, type FormAxis, newId, type SimpleAxis } from "./form";
import { linesText, plainTexts, readLines, variablesIn } from "./lines";
import { isParameter, kindOf, type ParameterName } from "./parameters";
import { readValues } from "./values";

/** The axis that a type of experiment cannot do without. */
export const neededBy: Record<string, ParameterName | undefined> = { convergence: "steps", cfg: "cfg_scale" };

/** What a new axis begins with; nothing where only the user can know. */
const firstValues: Partial<Record<ParameterName, unknown>> = {
  sampler: ["euler", "dpmpp_2m"],
  schedule: ["model", "karras"],
  spacing: ["leading", "trailing"],
  steps: "4, 8, 16, 32",
  cfg_scale: "1, 3, 5, 7.5, 12",
  seed: "1..4",
  eta: "0, 0.5, 1",
  rng: ["cpu", "cuda"],
  clip_skip: "0, 1, 2",
  guidance_rescale: "0, 0.35, 0.7",
  strength: "0.3..0.9 by 0.2",
};

export function newAxis(what: string): SimpleAxis {
  const common = { id: newId(), written: "axes" as const };
  if (isParameter(what)) return { ...common, kind: "parameter", parameter: what, values: firstValues[what] ?? [] };
  if (what === "settings") return { ...common, kind: "settings", name: what, values: [{ label: "A", set: {} }] };
  if (what === "replace") return { ...common, kind: "replace", word: "", values: [] };
  return { ...common, kind: "variable", word: what.replace(/^variable:/, ""), values: [] };
}

const parts = (axis: FormAxis): SimpleAxis[] => (axis.kind === "zip" ? axis.axes : axis.kind === "other" ? [] : [axis]);
export const varies = (form: Form, parameter: string): boolean =>
  form.axes.flatMap(parts).some((axis) => axis.kind === "parameter" && axis.parameter === parameter);

export const addAxis = (form: Form, axis: FormAxis): Form => ({ ...form, axes: [...form.axes, axis] });
export const removeAxis = (form: Form, id: string): Form => ({
  ...form,
  axes: form.axes.filter((axis) => axis.id !== id),
});

/** To the place `to` of the list, or as far as the list goes. */
export function moveAxis(form: Form, id: string, to: number): Form {
  const from = form.axes.findIndex((axis) => axis.id === id);
  const target = Math.max(0, Math.min(form.axes.length - 1, to));
  const axis = form.axes[from];
  if (!axis || from === target) return form;
  const axes = form.axes.filter((one) => one !== axis);
  return { ...form, axes: axes.toSpliced(target, 0, axis) };
}

/** Two axes become one in lock-step, at the place of the first; what is in lock-step already takes the other in. */
export function tieAxes(form: Form, id: string, other: string): Form {
  const a = form.axes.find((axis) => axis.id === id);
  const b = form.axes.find((axis) => axis.id === other);
  if (!a || !b || a === b || !parts(a).length || !parts(b).length) return form;
  const tied: FormAxis = { id: newId(), written: "axes", kind: "zip", axes: [...parts(a), ...parts(b)] };
  if (a.kind === "zip" && a.name) tied.name = a.name;
  return { ...form, axes: form.axes.filter((axis) => axis !== b).map((axis) => (axis === a ? tied : axis)) };
}

export function untieAxis(form: Form, id: string): Form {
  return { ...form, axes: form.axes.flatMap((axis) => (axis.id === id ? parts(axis) : [axis])) };
}

/** Another type, with the axis it needs; the old type's own axis goes when nobody has touched its values. */
export function setType(form: Form, type: string): Form {
  const old = neededBy[form.type];
  const needed = neededBy[type];
  const untouched = (axis: FormAxis) =>
    axis.kind === "parameter" && axis.parameter === old && axis.values === firstValues[axis.parameter];
  let axes = form.axes;
  if (old && old !== needed) axes = axes.filter((axis) => !untouched(axis));
  const next = { ...form, type, axes };
  return needed && !varies(next, needed) ? addAxis(next, newAxis(needed)) : next;
}

// ==== prompts: one is of the base, several are an axis ====

type PromptAxis = Extract<SimpleAxis, { kind: "parameter" }>;
export const promptAxis = (form: Form): PromptAxis | undefined =>
  form.axes.find((axis): axis is PromptAxis => axis.kind === "parameter" && axis.parameter === "prompt");

const baseText = (form: Form, member: string): string[] => {
  const text = form.base[member];
  return typeof text === "string" && text !== "" ? [text] : [];
};

/** What stands in the field of prompts; null when some carry labels or settings, so that they are edited one by one. */
export function promptsText(form: Form): string | null {
  const axis = promptAxis(form);
  if (!axis) return linesText(baseText(form, "prompt"), form.typedPrompt);
  const texts = plainTexts(readValues(axis.values, "lines").items);
  return texts && linesText(texts, axis.typed);
}

export function setPrompts(form: Form, typed: string): Form {
  const prompts = readLines(typed);
  const axis = promptAxis(form);
  const { prompt: _, ...base } = form.base;
  if (prompts.length > 1) {
    const change = { values: prompts, typed };
    if (axis) return { ...form, axes: form.axes.map((one) => (one === axis ? { ...axis, ...change } : one)) };
    const made: FormAxis = { id: newId(), written: "short", kind: "parameter", parameter: "prompt", ...change };
    return { ...form, base, typedPrompt: undefined, axes: [made, ...form.axes] };
  }
  const axes = axis ? form.axes.filter((one) => one !== axis) : form.axes;
  return { ...form, axes, typedPrompt: typed, base: prompts.length ? { ...base, prompt: prompts[0] } : base };
}

/** Every text in which words in braces are filled. */
export function promptTexts(form: Form): string[] {
  const values = form.axes.flatMap(parts).flatMap((axis) => {
    const holds = axis.kind === "replace" || (axis.kind === "parameter" && /prompt$/.test(axis.parameter));
    return holds ? readValues(axis.values, "lines").items.map((item) => String(item.value ?? "")) : [];
  });
  return [...baseText(form, "prompt"), ...baseText(form, "negative_prompt"), ...values];
}

/** Words in braces, and whether an axis has values for them. */
export function variables(form: Form): { word: string; filled: boolean }[] {
  const filled = new Set(form.axes.flatMap(parts).map((axis) => (axis.kind === "variable" ? axis.word : "")));
  return variablesIn(promptTexts(form)).map((word) => ({ word, filled: filled.has(word) }));
}

// ==== what other parts of the form ask of the axes ====

export const axisKind = (axis: SimpleAxis) =>
  axis.kind === "parameter" ? kindOf(axis.parameter) : axis.kind === "settings" ? "names" : "lines";

/** How many points an axis has; undefined while its values cannot be read. */
export function pointCount(axis: FormAxis): number | undefined {
  if (axis.kind === "other") return undefined;
  if (axis.kind === "zip") {
    const counts = axis.axes.map(pointCount);
    return counts.every((count) => count === counts[0]) ? counts[0] : undefined;
  }
  const { items, problem } = readValues(axis.values, axisKind(axis));
  return problem ? undefined : items.length;
}

/** What the plan calls the points of axes in lock-step: the values of their parts by name. */
export function zipPoints(form: Form): Record<string, unknown[]> {
  const points: Record<string, unknown[]> = {};
  for (const axis of form.axes) {
    if (axis.kind !== "zip") continue;
    const columns = axis.axes.map((part) => readValues(part.values, axisKind(part)).items);
    points[axisName(axis)] = (columns[0] ?? []).map((_, i) =>
      Object.fromEntries(axis.axes.map((part, k) => [axisName({ ...part, name: undefined }), columns[k]?.[i]?.value])),
    );
  }
  return points;
}
