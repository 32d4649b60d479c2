import { describe, expect, it } from "vitest";
import { hasRich, itemLabel, numbersText, readValues, withoutValue, writeItems } from "./values";

const numbers = (text: unknown, kind: "whole" | "number" | "seed" = "number") => {
  const { items, problem } = readValues(text, kind);
  return problem ?? items.map((item) => item.value);
};

describe("values as they are typed", () => {
  it.each([
    ["10..50 by 10", [10, 20, 30, 40, 50]],
    ["1..16 in 5 log", [1, 2, 4, 8, 16]],
    ["1..2 in 3", [1, 1.5, 2]],
    ["4, 8, 10..30 by 10", [4, 8, 10, 20, 30]],
    ["0.1..0.3 by 0.1", [0.1, 0.2, 0.3]],
    ["30..10 by 10", [30, 20, 10]],
    ["7.5", [7.5]],
    ["4, 8,", [4, 8]],
    ["", []],
    ["1..16 in 7 log", [1, 1.5874, 2.5198, 4, 6.3496, 10.079, 16]],
  ])("%s", (text, values) => {
    expect(numbers(text)).toEqual(values);
  });

  it("takes whole numbers where only those count", () => {
    expect(numbers("1..4", "whole")).toEqual([1, 2, 3, 4]);
    expect(numbers("1..3 in 5", "whole")).toEqual([1, 2, 3]);
    expect(numbers("1.5", "whole")).toBe("whole");
    expect(numbers("1..2 by 0.5", "whole")).toBe("whole");
  });

  it("keeps seeds that a double cannot hold", () => {
    expect(numbers("18446744073709551615, 7", "seed")).toEqual(["18446744073709551615", 7]);
  });

  it.each([
    ["ten", "number"],
    ["4,, 8", "number"],
    ["1..4", "step"],
    ["1..4 by 0", "step"],
    ["1..4 by -1", "step"],
    ["1.. by 2", "number"],
    ["0..4 in 3 log", "log"],
    ["1..4 in 1", "count"],
    ["0..1 by 0.00001", "many"],
  ])("%s is wrong: %s", (text, problem) => {
    expect(numbers(text)).toBe(problem);
  });

  it("names the part that is wrong and keeps what came before it", () => {
    expect(readValues("4, 8, x", "whole")).toEqual({
      items: [{ value: 4 }, { value: 8 }],
      problem: "number",
      part: "x",
    });
  });

  it("reads lists, ranges and names", () => {
    expect(numbers({ from: 1, to: 16, count: 5, scale: "log" })).toEqual([1, 2, 4, 8, 16]);
    expect(numbers({ from: 0, to: 1, step: 0.5 })).toEqual([0, 0.5, 1]);
    expect(numbers({ from: 0, to: 1, step: 0 })).toBe("step");
    expect(numbers({ to: 1 })).toBe("shape");
    expect(numbers(undefined)).toBe("shape");
    expect(readValues("euler, heun", "names").items.map(itemLabel)).toEqual(["euler", "heun"]);
    expect(readValues(["a", { value: "b", label: "B" }], "lines").items.map(itemLabel)).toEqual(["a", "B"]);
  });
});

describe("values as they are written", () => {
  it("puts lists and ranges into words", () => {
    expect(numbersText({ from: 1, to: 16, count: 7, scale: "log" })).toBe("1..16 in 7 log");
    expect(numbersText({ from: 1, to: 9, step: 2 })).toBe("1..9 by 2");
    expect(numbersText([1, { value: 2, label: "x" }])).toBe("1, 2");
    expect(numbersText("4, ")).toBe("4, ");
    expect(numbersText(undefined)).toBe("");
  });

  it("takes one value away", () => {
    expect(withoutValue("10..30 by 10", "whole", 1)).toBe("10, 30");
    expect(withoutValue(["a", "b"], "names", 0)).toEqual(["b"]);
    expect(withoutValue([1, { value: 2, label: "two" }, 3], "whole", 0)).toEqual([{ value: 2, label: "two" }, 3]);
  });

  it("tells plain values from those that say more", () => {
    expect(hasRich([1, 2])).toBe(false);
    expect(hasRich([{ value: 1 }])).toBe(true);
    expect(writeItems([{ value: 1 }, { value: 2, label: "x" }, { label: "s", set: {} }])).toEqual([
      1,
      { value: 2, label: "x" },
      { label: "s", set: {} },
    ]);
  });
});
