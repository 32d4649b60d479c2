import { describe, expect, it } from "vitest";
import { actionOf, conditionText, newConstraint, setText, withAction } from "./constraints";
import {
  addAxis,
  moveAxis,
  newAxis,
  pointCount,
  promptAxis,
  promptsText,
  removeAxis,
  setPrompts,
  setType,
  tieAxes,
  untieAxis,
  variables,
  varies,
  zipPoints,
} from "./edits";
import { axisName, emptyForm, type Form, fromSpec, toSpec } from "./form";

const names = (form: Form) => form.axes.map(axisName);
const sweep = (...what: string[]): Form =>
  what.reduce((form, one) => addAxis(form, newAxis(one)), emptyForm("parameter_sweep"));
const idOf = (form: Form, index: number) => form.axes[index]?.id ?? "";

describe("axes", () => {
  it("move, as far as the list goes", () => {
    const form = sweep("sampler", "steps", "cfg_scale");
    expect(names(moveAxis(form, idOf(form, 2), 0))).toEqual(["cfg_scale", "sampler", "steps"]);
    expect(names(moveAxis(form, idOf(form, 0), 99))).toEqual(["steps", "cfg_scale", "sampler"]);
    expect(moveAxis(form, idOf(form, 0), -1)).toBe(form);
    expect(moveAxis(form, "nobody", 1)).toBe(form);
    expect(names(removeAxis(form, idOf(form, 1)))).toEqual(["sampler", "cfg_scale"]);
  });

  it("are tied in lock-step and untied again", () => {
    const form = sweep("width", "sampler", "height", "eta");
    const tied = tieAxes(form, idOf(form, 0), idOf(form, 2));
    expect(names(tied)).toEqual(["width+height", "sampler", "eta"]);
    const three = tieAxes(tied, idOf(tied, 0), idOf(tied, 2));
    expect(names(three)).toEqual(["width+height+eta", "sampler"]);
    expect(names(untieAxis(three, idOf(three, 0)))).toEqual(["width", "height", "eta", "sampler"]);
    expect(tieAxes(form, idOf(form, 0), idOf(form, 0))).toBe(form);
  });

  it("count their points, in lock-step only when all parts agree", () => {
    const form = fromSpec({
      axes: [
        {
          name: "size",
          zip: [
            { parameter: "width", values: "64, 96" },
            { parameter: "height", values: [96, 64] },
          ],
        },
        {
          zip: [
            { parameter: "steps", values: [1] },
            { parameter: "eta", values: [0, 1] },
          ],
        },
        { parameter: "seed", values: "x" },
        7,
      ],
    });
    expect(form.axes.map(pointCount)).toEqual([2, undefined, undefined, undefined]);
    expect(zipPoints(form).size).toEqual([
      { width: 64, height: 96 },
      { width: 96, height: 64 },
    ]);
  });

  it("follow the type", () => {
    const form = setType(emptyForm("parameter_sweep"), "convergence");
    expect(names(form)).toEqual(["steps"]);
    expect(names(setType(form, "cfg"))).toEqual(["cfg_scale"]);
    const typed = { ...form, axes: form.axes.map((axis) => ({ ...axis, values: "1..9" })) } as Form;
    expect(names(setType(typed, "cfg"))).toEqual(["steps", "cfg_scale"]);
    expect(names(setType(typed, "parameter_sweep"))).toEqual(["steps"]);
    expect(names(setType(typed, "convergence"))).toEqual(["steps"]);
  });
});

describe("prompts", () => {
  it("one is of the base, several are an axis", () => {
    const one = setPrompts(sweep("steps"), "# mine\na cat");
    expect(toSpec(one).spec).toMatchObject({ base: { prompt: "a cat" } });
    expect(promptsText(one)).toBe("# mine\na cat");
    const two = setPrompts(one, "a cat\n\na dog");
    expect(toSpec(two).spec).toMatchObject({ prompts: ["a cat", "a dog"], axes: [{ parameter: "steps" }] });
    expect(two.base).toEqual({});
    expect(promptsText(two)).toBe("a cat\n\na dog");
    expect(promptAxis(setPrompts(two, "a cat\na dog\na cow"))?.values).toHaveLength(3);
    const none = setPrompts(two, "");
    expect([none.base, promptAxis(none)]).toEqual([{}, undefined]);
  });

  it("with labels are no text", () => {
    expect(promptsText(fromSpec({ prompts: [{ value: "a cat", label: "cat" }] }))).toBeNull();
  });

  it("name the words that want values", () => {
    const form = fromSpec({
      base: { prompt: "a {colour} {thing}", negative_prompt: "{what}" },
      axes: [
        { variable: "colour", values: ["red"] },
        { replace: "a", values: ["{more}"] },
      ],
    });
    expect(variables(form)).toEqual([
      { word: "colour", filled: true },
      { word: "thing", filled: false },
      { word: "what", filled: false },
      { word: "more", filled: false },
    ]);
    expect(varies(form, "prompt")).toBe(false);
  });
});

describe("rules", () => {
  const words = { name: (name: string) => name, operator: (one: string) => one, and: "and" };
  it("change what they do and keep where", () => {
    const { value } = newConstraint("require", "model");
    expect(actionOf(value)).toBe("require");
    const dropped = withAction({ ...value, reason: "why" }, "drop");
    expect(dropped).toEqual({ where: { model: "" }, drop: true, reason: "why" });
    expect(withAction(dropped, "set")).toEqual({ where: { model: "" }, set: {} });
    expect(actionOf(newConstraint("drop", "model").value)).toBe("drop");
    expect(actionOf(newConstraint("set", "model").value)).toBe("set");
  });
  it("read as sentences", () => {
    expect(conditionText({ model: "x", steps: { max: 8, not: { min: 3 } } }, words)).toBe(
      'model is x and steps max 8 and steps other {"not":{"min":3}}',
    );
    expect(conditionText({ sampler: { in: ["a", "b"] } }, words)).toBe("sampler in a, b");
    expect(setText({ steps: 8, eta: "" }, (name) => name)).toBe("steps = 8, eta = …");
    expect(setText(undefined, (name) => name)).toBe("");
  });
});
