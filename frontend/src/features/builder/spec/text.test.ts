import { describe, expect, it } from "vitest";
import { JsonError, lineAt, parseJson, placeOf } from "@/lib/json";
import { changeOperator, conditionOf, operatorsFor, rowsOf, scalarOf } from "./condition";
import { linesText, plainTexts, readLines, variablesIn, writeLines } from "./lines";

describe("texts, one per line", () => {
  it("leaves out blank lines and comments", () => {
    expect(readLines("a cat\n\n  # not this\r\n a dog \n")).toEqual(["a cat", "a dog"]);
  });
  it("can say every text", () => {
    for (const texts of [["a\nb"], ["#1 cat"], ["", "x"], ['""'], ["back\\slash", "\\n", "\\\\n", "\\\nx", "(a\\)"]])
      expect(readLines(writeLines(texts))).toEqual(texts);
  });
  it("keeps what was typed while it says the same", () => {
    expect(linesText(["a"], "# x\na")).toBe("# x\na");
    expect(linesText(["b"], "# x\na")).toBe("b");
  });
  it("knows which lists are plain", () => {
    expect(plainTexts([{ value: "a" }])).toEqual(["a"]);
    expect(plainTexts([{ value: "a", label: "A" }])).toBeNull();
    expect(plainTexts([{ value: " a" }])).toBeNull();
    expect(plainTexts([{ value: 1 }])).toBeNull();
  });
  it("finds variables", () => {
    expect(variablesIn(["a {animal} on {place}", "{animal} { x } {}"])).toEqual(["animal", "place"]);
  });
});

describe("conditions as sentences", () => {
  it.each([
    { model: "a", steps: { max: 8, min: 2 } },
    { sampler: { in: ["a", "b"] }, width: { not: 64 } },
    { sampler: { not: { in: ["a"] } } },
    { steps: { not: { min: 3 } } },
    { steps: 4 },
  ])("stays as it is: %j", (condition) => {
    expect(conditionOf(rowsOf(condition))).toEqual(condition);
  });
  it("reads nothing from what is no condition", () => {
    expect(rowsOf("x")).toEqual([]);
  });
  it("takes numbers where the parameter has them", () => {
    expect(scalarOf("steps", "8")).toBe(8);
    expect(scalarOf("steps", "8.")).toBe(8);
    expect(scalarOf("steps", "")).toBe("");
    expect(scalarOf("seed", "18446744073709551615")).toBe("18446744073709551615");
    expect(scalarOf("model", "8")).toBe("8");
    expect(operatorsFor("model")).not.toContain("max");
  });
  it("keeps the value when the operator changes", () => {
    const row = { name: "steps", operator: "is", value: 3 } as const;
    expect(changeOperator(row, "in").value).toEqual([3]);
    expect(changeOperator({ ...row, operator: "in", value: [3, 4] }, "max").value).toBe(3);
  });
});

describe("JSON with places", () => {
  it("reads what JSON.parse reads", () => {
    const text = '{"a": [1, -2.5e3, "x\\u0041\\n\\"", true, false, null, {}, []], "b/~": {"c": 0}}';
    const { value, places } = parseJson(text);
    expect(value).toEqual(JSON.parse(text));
    expect(text.slice(places.get("/b~1~0/c"))).toBe("0}}");
    expect(placeOf(places, "/a/0/deeper")).toBe(places.get("/a/0"));
    expect(placeOf(places, "/nowhere")).toBe(0);
  });
  it("keeps whole numbers that a double cannot hold", () => {
    expect(parseJson("[18446744073709551615, 9007199254740991]").value).toEqual([
      "18446744073709551615",
      9007199254740991,
    ]);
  });
  it.each([
    ['{"a": 1,}', "unexpected", 8],
    ['{"a" 1}', "unexpected", 5],
    ["[1, 2", "end", 5],
    ['"a', "end", 2],
    ['"\n"', "string", 1],
    ['"\\x"', "string", 2],
    ['"\\u00g0"', "string", 2],
    ["1e999", "number", 0],
    ['{"a":1,"a":2}', "twice", 7],
    ["1 2", "unexpected", 2],
    [`${"[".repeat(70)}`, "unexpected", 65],
  ])("%s", (text, problem, offset) => {
    try {
      parseJson(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(JsonError);
      expect(error).toMatchObject({ problem, offset });
    }
  });
  it("counts lines", () => {
    expect(lineAt("a\nb\nc", 0)).toBe(1);
    expect(lineAt("a\nb\nc", 2)).toBe(2);
    expect(lineAt("a\nb\nc", 4)).toBe(3);
  });
});
