import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { axisName, emptyForm, type Form, fromSpec, type Spec, toSpec } from "./form";

const folder = join(import.meta.dirname, "../../../../../examples/experiments");
const examples = readdirSync(folder).filter((name) => name.endsWith(".json"));
const load = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Spec;
const round = (spec: Spec) => toSpec(fromSpec(spec)).spec;
const general = (form: Form) => form.axes.map(axisName);

describe("a spec through the form and back", () => {
  it.each(examples)("%s stays as it is", (name) => {
    expect(round(load(name))).toEqual(load(name));
  });

  it("keeps what it has no field for", () => {
    const spec = {
      version: 2,
      type: 7,
      name: "",
      future: { a: [1] },
      base: [],
      axes: [
        { parameter: "steps", values: [1], extra: 1 },
        5,
        { zip: [{ zip: [] }] },
        { parameter: "nothing", values: [] },
      ],
      constraints: [{}],
      parameters: { unheard_of: [1] },
      replicates: {},
      budget: 3,
    };
    expect(round(spec)).toEqual(spec);
    expect(round({})).toEqual({});
    expect(round({ version: 1, type: "", axes: [], constraints: "x", name: 1 })).toEqual({
      version: 1,
      type: "",
      axes: [],
      constraints: "x",
      name: 1,
    });
  });

  it("reads axes in the server's order and keeps short forms while that order holds", () => {
    const spec = {
      version: 1,
      type: "cfg",
      steps: "1..4",
      cfg_scales: [1, 2],
      axes: [{ variable: "animal", values: ["cat"] }],
      parameters: { width: [64, 128], eta: [0, 1] },
      samplers: ["euler"],
      prompts: ["a {animal}"],
    };
    const form = fromSpec(spec);
    expect(general(form)).toEqual(["prompt", "sampler", "width", "eta", "animal", "cfg_scale", "steps"]);
    expect(toSpec(form).spec).toEqual(spec);

    const turned = { ...form, axes: [...form.axes].reverse() };
    const { spec: written, places } = toSpec(turned);
    expect(Object.keys(written)).toEqual(["version", "type", "axes"]);
    expect(general(fromSpec(written))).toEqual(general(turned));
    expect(turned.axes.map(({ id }) => places.get(id))).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `/axes/${i}`));
  });

  it("says where each axis and constraint was written", () => {
    const form = fromSpec({
      type: "parameter_sweep",
      samplers: ["a"],
      parameters: { eta: [0] },
      axes: [
        {
          zip: [
            { parameter: "width", values: [1] },
            { parameter: "height", values: [2] },
          ],
        },
      ],
      constraints: [{ drop: true }],
    });
    const { places } = toSpec(form);
    const zip = form.axes[2];
    expect(form.axes.map(({ id }) => places.get(id))).toEqual(["/samplers", "/parameters/eta", "/axes/0"]);
    expect(zip?.kind === "zip" && zip.axes.map(({ id }) => places.get(id))).toEqual(["/axes/0/zip/0", "/axes/0/zip/1"]);
    expect(places.get(form.constraints[0]?.id ?? "")).toBe("/constraints/0");
    expect(zip && axisName(zip)).toBe("width+height");
  });

  it("writes an axis twice or with a name in the general form", () => {
    const form = emptyForm("parameter_sweep");
    const axis = (name?: string) =>
      ({ id: `${name}`, kind: "parameter", parameter: "steps", written: "short", values: [1], name }) as const;
    form.axes = [axis(), axis()];
    expect(toSpec(form).spec.axes).toHaveLength(2);
    form.axes = [axis("n")];
    expect(toSpec(form).spec).toMatchObject({ axes: [{ parameter: "steps", name: "n", values: [1] }] });
  });
});
