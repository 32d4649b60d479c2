import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./BuilderPage";
import type { Spec } from "./spec/form";

configure({ asyncUtilTimeout: 10_000 });
const id = "01a20012-7a8d-7000-be28-b6570f7a2cdf";
const models = { items: [{ name: "demo", provider: "native", defaults: { sampler: "ddim", steps: 20 } }] };
const samplers = {
  items: [
    { name: "euler", label: "Euler", schedules: ["model"] },
    { name: "heun", label: "Heun", schedules: [] },
  ],
};
const schedules = {
  items: [
    { name: "model", label: "Automatic" },
    { name: "karras", label: "Karras" },
  ],
  spacings: ["model"],
};

const planOf = (spec: Spec) => {
  if (!spec.prompts && !(spec.base as Spec | undefined)?.prompt)
    return problem(422, "invalid_spec", "the experiment's specification has 1 problem", [
      { pointer: "/base", expected: "a prompt in the base, or an axis of prompts" },
    ]);
  return {
    cells: 4,
    pictures: 3,
    existing: 1,
    impossible: 1,
    dropped: 1,
    to_draw: 2,
    model_loads: 1,
    estimated_seconds: 75,
    estimated_bytes: 2000,
    samples: 4,
    estimate: { basis: "4 measured pictures" },
    axes: [
      {
        name: "sampler",
        values: [
          { label: "euler", value: "euler" },
          { label: "heun", value: "heun" },
        ],
      },
      {
        name: "steps",
        numeric: true,
        values: [
          { label: "4", value: 4 },
          { label: "8", value: 8 },
        ],
      },
    ],
    impossible_reasons: [{ reason: "too slow", cells: 1 }],
    dropped_reasons: [{ reason: "not wanted", cells: 1 }],
    preview: ["draw", "drawn", "impossible", "cut"].map((state, i) => ({
      id: String(i),
      axes: { sampler: i % 2 ? "heun" : "euler", steps: i < 2 ? 4 : 8 },
      replicate: 0,
      state,
      reason: state === "impossible" ? "too slow" : null,
    })),
  };
};

const stored = (spec: object, status = "draft") => ({
  id,
  name: "stored",
  type: "cfg",
  status,
  config: spec,
  run: null,
  runs: 0,
  created_at: "2026-11-21T20:00:00Z",
  updated_at: "2026-11-21T20:00:00Z",
  url: "",
});

function open(address: string, spec: object = {}, status = "draft", path = "*") {
  const server = serve({
    "GET /api/v1/models": () => models,
    "GET /api/v1/samplers": () => samplers,
    "GET /api/v1/schedules": () => schedules,
    "POST /api/v1/experiments/plan": ({ body }) => planOf(body as Spec),
    "GET /api/v1/experiments/:id/spec": () => spec,
    "GET /api/v1/experiments/:id": () => stored(spec, status),
    "GET /api/v1/generations/:id": () => ({
      id,
      status: "succeeded",
      prompt: "a picture",
      image: null,
      parameters: { prompt: "a picture", model: "demo", steps: 7, cfg_scale: 3, seed: 5 },
    }),
    "POST /api/v1/experiments": () => stored({}),
    "PATCH /api/v1/experiments/:id": () => stored({}),
    "POST /api/v1/experiments/:id/start": () => stored({}, "running"),
  });
  return { ...server, ...renderAt(address, <Component />, path) };
}
const edit = (spec: object, status = "draft") => open(`/experiments/${id}/edit`, spec, status, "/experiments/:id/edit");
const sent = (asked: { method: string; path: string; body: unknown }[], path: string, method = "POST") =>
  asked.filter((one) => one.method === method && one.path === path).at(-1)?.body as Record<string, unknown> | undefined;
const json = async () => {
  fireEvent.click(screen.getByText("JSON", { selector: "button" }));
  const text = (await screen.findByLabelText<HTMLTextAreaElement>("The experiment as JSON")).value;
  fireEvent.click(screen.getByText("JSON", { selector: "button" }));
  return JSON.parse(text) as Spec;
};
const type = (label: string | RegExp, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

beforeEach(() => localStorage.clear());

// Roles are looked up in a large form: seconds on a busy machine.
describe("the builder", { timeout: 60_000 }, () => {
  it("plans what is typed and starts it", async () => {
    const user = userEvent.setup();
    const { asked, router } = open("/experiments/new");
    await screen.findAllByText("a prompt in the base, or an axis of prompts");
    type("One per line", "a cat\na dog");
    await screen.findAllByText("1 cell: too slow");
    expect(screen.getByText("1 min 15 s")).toBeInTheDocument();
    expect(screen.getByText("4 measured pictures")).toBeInTheDocument();
    expect(screen.getByRole("img", { name: "2 rows (Sampler) by 2 columns (Steps), 1 panels" })).toBeInTheDocument();
    fireEvent.change(screen.getByRole("slider"), { target: { value: "2" } });
    expect(screen.getByText(/3 of 4: euler · 8, impossible/)).toBeInTheDocument();
    await waitFor(() => expect(screen.getAllByRole("button", { name: "Start" })[0]).toBeEnabled());
    await user.keyboard("{Control>}{Enter}{/Control}");
    await waitFor(() => expect(router.state.location.pathname).toBe(`/experiments/${id}`));
    expect(sent(asked, "/api/v1/experiments")).toMatchObject({ start: true, spec: { prompts: ["a cat", "a dog"] } });
  });

  it("edits axes: values, order, names, lock-step, labels, settings", async () => {
    open("/experiments/new");
    await screen.findByText("Heun");
    fireEvent.click(screen.getByText("Guidance"));
    fireEvent.click(screen.getByText("Heun", { selector: "button" }));
    fireEvent.click(screen.getByLabelText("Remove dpmpp_2m"));
    fireEvent.click(screen.getByText("1..16 in 7 log", { selector: "button" }));
    type("Add an axis", "width");
    type("Values of Width", "64, 96");
    type("Add an axis", "height");
    type("Values of Height", "96, 64");
    const tie = screen.getByLabelText("Change Width in lock-step with");
    const height = within(tie).getByRole<HTMLOptionElement>("option", { name: "Height (2 values)" });
    fireEvent.change(tie, { target: { value: height.value } });
    fireEvent.click(screen.getAllByLabelText("Label and settings of 96")[0] as HTMLElement);
    type("Label", "wide");
    const chip = screen.getByLabelText(/^Edit Width \+ Height/);
    fireEvent.keyDown(chip, { key: "ArrowLeft", shiftKey: true });
    type("Add an axis", "settings");
    type("Label 1", "weak");
    fireEvent.change(screen.getAllByLabelText("Set a parameter").at(-1) as HTMLElement, { target: { value: "eta" } });
    type("Value of Eta", "0.5");
    type("Add an axis", "replace");
    type("Search for", "cat");
    fireEvent.change(screen.getByLabelText("Values of “cat”, one per line"), { target: { value: "dog\ncow" } });
    const spec = await json();
    expect(spec.axes).toMatchObject([
      { parameter: "sampler", values: ["euler", "heun"] },
      { zip: [{ parameter: "width", values: [64, { value: 96, label: "wide" }] }, { parameter: "height" }] },
      { parameter: "cfg_scale", values: "1..16 in 7 log" },
      { name: "settings", values: [{ label: "weak", set: { eta: 0.5 } }] },
      { replace: "cat", values: ["dog", "cow"] },
    ]);
    fireEvent.click(screen.getByText("Untie", { selector: "button" }));
    fireEvent.keyDown(screen.getByLabelText(/^Edit Width/), { key: "Delete" });
    fireEvent.click(screen.getByLabelText("Remove Height"));
    fireEvent.click(screen.getByLabelText("Undo"));
    expect(screen.getByLabelText("Values of Height")).toBeInTheDocument();
    fireEvent.click(screen.getByLabelText("Redo"));
    expect(screen.queryByLabelText("Values of Height")).toBeNull();
  });

  it("builds rules as sentences", async () => {
    edit({ version: 1, type: "cfg", base: { prompt: "x" }, cfg_scales: [1, 2], models: ["demo"] });
    await screen.findByDisplayValue("1, 2");
    fireEvent.click(screen.getByText("Require", { selector: "button" }));
    const rule = within(screen.getByLabelText("Rule 1"));
    await waitFor(() => expect(rule.getByRole("option", { name: "demo" })).toBeInTheDocument());
    fireEvent.change(rule.getByLabelText("Value of Model"), { target: { value: "demo" } });
    fireEvent.change(rule.getByLabelText("Because"), { target: { value: "slow" } });
    expect(screen.getByText("where Model is demo → Steps at most 8")).toBeInTheDocument();
    fireEvent.click(screen.getByText("Set", { selector: "button" }));
    const second = within(screen.getByLabelText("Rule 2"));
    fireEvent.change(second.getByLabelText("Parameter"), { target: { value: "steps" } });
    fireEvent.change(second.getByLabelText("Comparison of Steps"), { target: { value: "in" } });
    fireEvent.change(second.getByLabelText("Value of Steps"), { target: { value: "4, 8" } });
    fireEvent.change(second.getByLabelText("Set a parameter"), { target: { value: "eta" } });
    fireEvent.change(second.getByLabelText("Value of Eta"), { target: { value: "1" } });
    fireEvent.click(second.getByRole("button", { name: "Add a condition" }));
    fireEvent.click(second.getByRole("button", { name: "Remove the condition on Model" }));
    fireEvent.click(screen.getByLabelText("Move rule 2 up"));
    fireEvent.click(screen.getByText("Leave out", { selector: "button" }));
    expect((await json()).constraints).toEqual([
      { where: { steps: { in: [4, 8] } }, set: { eta: 1 } },
      { where: { model: "demo" }, require: { steps: { max: 8 } }, reason: "slow" },
      { where: { model: "" }, drop: true },
    ]);
    fireEvent.change(screen.getByLabelText("What rule 1 does"), { target: { value: "drop" } });
    fireEvent.click(screen.getByLabelText("Remove rule 3"));
    expect((await json()).constraints).toHaveLength(2);
  });

  it("fills seeds, budget, order, reference and notes", async () => {
    edit({ version: 1, type: "cfg", base: { prompt: "x" }, cfg_scales: [1, 2] });
    await screen.findByDisplayValue("1, 2");
    type("First seed", "18446744073709551615");
    type("Seeds per cell", "3");
    type("At most so many seconds", "90");
    type("At most so many pictures", "10");
    type("Order", "listed");
    type("Compare with", "cfg_scale");
    type("Value on CFG scale", "1");
    type("Notes", "why");
    const spec = await json();
    expect(spec).toMatchObject({
      replicates: { count: 3, seed: "18446744073709551615" },
      budget: { seconds: 90, cells: 10 },
      order: "listed",
      reference: { axis: "cfg_scale", value: 2 },
      notes: "why",
    });
    type("First seed", "");
    type("Seeds per cell", "");
    type("Or a list of seeds", "1, 2");
    expect((await json()).replicates).toEqual({ seeds: [1, 2] });
  });

  it("keeps JSON and form in step, and says at which line a text is wrong", async () => {
    open("/experiments/new");
    await screen.findAllByText(/a prompt in the base/);
    fireEvent.click(screen.getByText("JSON", { selector: "button" }));
    const label = "The experiment as JSON";
    type(label, '{\n "type": cfg\n}');
    expect(screen.getByText(/Line 2: Not JSON/)).toBeInTheDocument();
    type(label, "[]");
    expect(screen.getByText(/An experiment is a JSON object/)).toBeInTheDocument();
    type(label, '{"version": 1, "type": "cfg", "base": {"prompt": "x"}, "cfg_scales": [3], "future": true}');
    await screen.findByText("No problems.");
    fireEvent.click(screen.getByText("Tidy up", { selector: "button" }));
    fireEvent.click(screen.getByText("JSON", { selector: "button" }));
    expect(screen.getByLabelText<HTMLInputElement>("Values of CFG scale").value).toBe("3");
    expect((await json()).future).toBe(true);
  });

  it("saves a draft and offers what was not saved again", async () => {
    const first = edit({ version: 1, type: "cfg", base: { prompt: "x" }, cfg_scales: [1] });
    await screen.findByLabelText("Values of CFG scale");
    type("Values of CFG scale", "1, 5");
    await waitFor(() => expect(localStorage.getItem(`cauldron-builder:edit:${id}`)).toContain("1, 5"));
    first.unmount();
    const { asked } = edit({ version: 1, type: "cfg", base: { prompt: "x" }, cfg_scales: [1] });
    expect(await screen.findByDisplayValue("1, 5")).toBeInTheDocument();
    expect(screen.getByText(/Your unsaved changes of/)).toBeInTheDocument();
    fireEvent.click(screen.getByRole("button", { name: "Save draft" }));
    await screen.findByText("Draft saved");
    expect(sent(asked, `/api/v1/experiments/${id}`, "PATCH")).toMatchObject({ spec: { cfg_scales: "1, 5" } });
    expect(localStorage.getItem(`cauldron-builder:edit:${id}`)).toBeNull();
    fireEvent.click(screen.getAllByRole("button", { name: "Start" })[0] as HTMLElement);
    await waitFor(() => expect(sent(asked, `/api/v1/experiments/${id}/start`)).toBeDefined());
  });

  it("begins with a picture, a copy, or says that it is too late", async () => {
    const picture = open(`/experiments/new?from=${id}`);
    expect(await screen.findByDisplayValue("a picture")).toBeInTheDocument();
    expect(await json()).toMatchObject({ base: { prompt: "a picture", model: "demo", cfg_scale: 3, seed: 5 } });
    picture.unmount();
    const copy = open(`/experiments/new?clone=${id}`, { version: 1, type: "cfg", cfg_scales: [1] });
    expect(await screen.findByDisplayValue("stored (copy)")).toBeInTheDocument();
    copy.unmount();
    edit({ version: 1, type: "cfg" }, "completed");
    expect(await screen.findByRole("link", { name: "Edit a copy" })).toHaveAttribute(
      "href",
      `/experiments/new?clone=${id}`,
    );
  });

  it("takes the parameters of the picture that a spec begins with", async () => {
    edit({ version: 1, type: "cfg", base_generation: id, base: { cfg_scale: 9 }, cfg_scales: [1] });
    const copy = await screen.findByRole("button", { name: "Copy them here" });
    await waitFor(() => expect(copy).toBeEnabled());
    fireEvent.click(copy);
    const spec = await json();
    expect(spec.base).toMatchObject({ prompt: "a picture", cfg_scale: 9, steps: 7 });
    expect(spec.base_generation).toBeUndefined();
  });

  it("imports from the clipboard and refuses what is none", async () => {
    open("/experiments/new");
    await screen.findAllByText(/a prompt in the base/);
    const paste = (text: string) => {
      const event = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), {
        clipboardData: { getData: () => text },
      });
      fireEvent(document.body, event);
    };
    paste('{"version": 1, "type": "cfg", "prompts": ["a", "b"], "cfg_scales": [2]}');
    expect(await screen.findByDisplayValue("2")).toBeInTheDocument();
    paste("{ no");
    expect(await screen.findByText("This is no experiment")).toBeInTheDocument();
  });
});
