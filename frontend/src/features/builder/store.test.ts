import { beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/client";
import { fileName } from "./fileName";
import { problemsAt } from "./plan";
import { fieldOf, valueProblems } from "./problems";
import { addAxis, newAxis } from "./spec/edits";
import { emptyForm } from "./spec/form";
import { forgetDraft, isDirty, keepDraft, keptDraft, makeStore, withAxis, written } from "./store";
import { readExperiment } from "./transfer";

beforeEach(() => localStorage.clear());
const named = (name: string) => (form: ReturnType<typeof emptyForm>) => ({ ...form, name });

describe("the builder's history", () => {
  it("undoes and redoes, field by field", () => {
    vi.useFakeTimers();
    const store = makeStore(emptyForm());
    const { change, undo, redo } = store.getState();
    const name = () => store.getState().form.name;
    change(named("a"), "name");
    change(named("ab"), "name");
    vi.advanceTimersByTime(5000);
    change(named("abc"), "name");
    change(named("x"));
    change((form) => form);
    undo();
    expect(name()).toBe("abc");
    undo();
    expect(name()).toBe("ab");
    undo();
    expect(name()).toBe("");
    undo();
    redo();
    redo();
    expect(name()).toBe("abc");
    change(named("new"));
    expect(store.getState().future).toEqual([]);
    redo();
    store.getState().load(emptyForm("cfg"));
    undo();
    expect(name()).toBe("new");
    vi.useRealTimers();
  });

  it("knows what is saved and keeps what is not", () => {
    const store = makeStore(emptyForm());
    expect(isDirty(store.getState())).toBe(false);
    store.getState().change(named("mine"));
    keepDraft("k", store.getState());
    expect(keptDraft("k")?.form.name).toBe("mine");
    store.getState().markSaved();
    keepDraft("k", store.getState());
    expect(keptDraft("k")).toBeUndefined();
    localStorage.setItem("cauldron-builder:k", "{");
    expect(keptDraft("k")).toBeUndefined();
    forgetDraft("k");
    expect(localStorage.length).toBe(0);
  });

  it("changes an axis wherever it is", () => {
    const axis = newAxis("steps");
    const form = addAxis(emptyForm("x"), { id: "z", kind: "zip", written: "axes", axes: [axis] });
    const next = withAxis(axis.id, (old) => ({ ...old, values: [1] }))(form);
    expect(written(next).spec.axes).toEqual([{ zip: [{ parameter: "steps", values: [1] }] }]);
    expect(written(next)).toBe(written(next));
  });
});

describe("problems and their fields", () => {
  it("finds the field of a pointer", () => {
    const places = new Map([
      ["zip", "/axes/0"],
      ["part", "/axes/0/zip/1"],
    ]);
    expect(fieldOf("/axes/0/zip/1/values/2", places)).toBe("part");
    expect(fieldOf("/axes/0/name", places)).toBe("zip");
    expect(fieldOf("/base", places)).toBe("prompts");
    expect(fieldOf("/budget/cells", places)).toBe("budget");
    expect(fieldOf("", places)).toBe("");
  });
  it("tells single values from the whole", () => {
    const problems = [
      { pointer: "/steps/1", expected: "a number" },
      { pointer: "/steps/3", expected: "a number" },
    ];
    expect(valueProblems(problems, "/steps")).toEqual({ error: "a number", wrong: new Set([1, 3]) });
    expect(valueProblems([{ pointer: "/axes/0/values/7", expected: "x" }], "/axes/0").wrong).toEqual(new Set([7]));
    expect(valueProblems([], "/steps").error).toBeUndefined();
    const problem = new Problem(422, "invalid", "", [...problems, { pointer: "/steps_more", expected: "" }]);
    expect(problemsAt(problem, "/steps")).toHaveLength(2);
    expect(problemsAt(undefined, "/steps")).toEqual([]);
  });
});

describe("files", () => {
  it("reads specs, and what holds one", () => {
    expect(readExperiment('{"type": "cfg", "name": "x"}').name).toBe("x");
    expect(readExperiment('{"name": "outer", "spec": {"type": "cfg"}}').name).toBe("outer");
    expect(readExperiment('{"name": "outer", "config": {"type": "cfg", "name": "inner"}}').name).toBe("inner");
  });
  it("says why it cannot", () => {
    expect(() => readExperiment("{")).toThrow("Not JSON: it ends too early in line 1.");
    expect(() => readExperiment("[]")).toThrow("JSON object");
    expect(() => readExperiment('{"a": 1}')).toThrow("JSON object");
  });
  it("names them after the experiment", () => {
    expect(fileName(" Steps & CFG? ")).toBe("Steps-CFG.json");
    expect(fileName("???")).toBe("experiment.json");
  });
});
