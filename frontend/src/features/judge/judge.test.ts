import { describe, expect, it } from "vitest";
import type { ExperimentSpec, Schemas } from "@/api/client";
import { uuid7 } from "@/lib/uuid";
import { judgedAxes } from "./axes";
import { deal, emptyDeck, keyOf, type Pair, takeBack, vote } from "./deck";
import { hint, scoreText, votesNeeded } from "./hints";
import { swipeOf } from "./swipe";

const pair = (left: string, right: string) =>
  ({ left: { generation_id: left }, right: { generation_id: right }, prompt: "", differs: [] }) as unknown as Pair;

describe("the deck", () => {
  const dealt = deal(emptyDeck, { items: [pair("a", "b"), pair("c", "d")], remaining: 9, judged: 1 }, 20, []);
  it("takes no pair twice, whichever way round", () => {
    const again = deal(dealt, { items: [pair("b", "a"), pair("e", "f"), pair("g", "h")], remaining: 9, judged: 1 }, 3, [
      "g h",
    ]);
    expect(again.pairs.map(keyOf)).toEqual(["a b", "c d", "e f"]);
    expect([again.judged, again.remaining, again.dry]).toEqual([2, 8, false]);
    expect(deal(again, { items: [pair("a", "b")], remaining: 1, judged: 1 }, 1, []).dry).toBe(true);
  });
  it("a vote moves on, an undo brings the pair back on top", () => {
    const voted = vote(dealt, "v1", "left");
    expect([voted.pairs.length, voted.judged, voted.remaining, voted.given[0]?.choice]).toEqual([1, 2, 8, "left"]);
    expect(takeBack(voted, "v1")).toEqual(dealt);
    expect(takeBack(voted, "other")).toBe(voted);
    expect(vote(emptyDeck, "v", "tie")).toBe(emptyDeck);
  });
});

it("a swipe is long and straight", () => {
  expect(swipeOf(-80, 10)).toBe("left");
  expect(swipeOf(80, -10)).toBe("right");
  expect(swipeOf(5, -90)).toBe("tie");
  expect(swipeOf(5, 90)).toBeUndefined();
  expect(swipeOf(20, 0)).toBeUndefined();
  expect(swipeOf(60, 60)).toBeUndefined();
});

it("ids of votes are UUIDs of version 7, in the order of time", () => {
  const id = uuid7(0x0192f0c17b7a);
  expect(id).toMatch(/^0192f0c1-7b7a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuid7(1000) < uuid7(2000)).toBe(true);
  expect(uuid7(5)).not.toBe(uuid7(5));
});

it("prompts, words in them and single values are no matter for a jury", () => {
  const axis = (name: string, parameter: string | null, count = 2) => ({
    name,
    parameter,
    values: Array.from({ length: count }, (_, index) => ({ label: String(index) })),
  });
  const spec = { axes: [{ variable: "colour", values: ["red"] }] } as unknown as ExperimentSpec;
  const axes = [
    axis("prompt", "prompt"),
    axis("sampler", "sampler"),
    axis("colour", null),
    axis("steps", "steps", 1),
    axis("size", null),
  ];
  expect(judgedAxes(axes, spec)).toEqual(["sampler", "size"]);
});

describe("hints", () => {
  type Value = Schemas["Scores"]["axes"][number]["values"][number];
  const value = (label: string, strength: number | null, half: number, votes = 10) =>
    ({
      label,
      value: label,
      votes,
      wins: 5,
      losses: 5,
      ties: 0,
      strength,
      low: strength === null ? null : strength - half,
      high: strength === null ? null : strength + half,
      win_rate: 0.6,
    }) as Value;
  const axis = (...values: Value[]) => ({ name: "sampler", votes: 20, values });
  it("say when the best is clear, and else how many votes it takes", () => {
    expect(votesNeeded(axis(value("a", 2, 0.5), value("b", 0, 0.5)))).toBe(0);
    // Half widths 1 and 1 against a gap of 1: twice the variance that a clear lead allows.
    expect(votesNeeded(axis(value("a", 0.5, 1), value("b", -0.5, 1)))).toBe(20);
    expect(votesNeeded(axis(value("a", 0, 1), value("b", 0, 1)))).toBeUndefined();
    expect(votesNeeded(axis(value("a", 0, 1)))).toBeUndefined();
  });
  it("are words", () => {
    expect(hint(axis(value("a", 2, 0.5), value("b", 0, 0.5)))).toMatch(/a is better than b/);
    expect(hint(axis(value("a", 0.5, 1), value("b", -0.5, 1)))).toMatch(/about 20 more votes/);
    expect(hint(axis(value("a", 0.01, 1), value("b", 0, 1)))).toMatch(/look equal/);
    expect(hint({ ...axis(value("a", null, 1)), votes: 0 })).toMatch(/no votes/);
    expect(hint(axis(value("a", 1, 1), value("b", null, 1, 0)))).toMatch(/never compared: b/);
    expect(hint(axis(value("a", 0, 1), value("b", 0, 1)))).toMatch(/too few/);
    expect(scoreText(value("a", 0.5, 1))).toBe("+0.5 (-0.5 to 1.5), wins 60 % against the mean, 10 votes");
    expect(scoreText(value("a", null, 1))).toBe("never compared");
  });
});
