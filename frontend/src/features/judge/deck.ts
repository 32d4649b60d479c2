// The pairs that wait, and the votes that were given: what a jury of one has on the table.
import type { Schemas } from "@/api/client";

export type Pair = Schemas["Pair"];
export type Choice = Schemas["VoteCreate"]["choice"];

export interface Given {
  id: string;
  pair: Pair;
  choice: Choice;
}

export interface Deck {
  pairs: Pair[];
  /** The newest last. */
  given: Given[];
  judged: number;
  remaining: number;
  /** The server has no pairs beyond those on the table. */
  dry: boolean;
}

export const emptyDeck: Deck = { pairs: [], given: [], judged: 0, remaining: 0, dry: false };

export const keyOfIds = (left: string, right: string): string => [left, right].sort().join(" ");

/** The same pair may come with its sides changed. */
export const keyOf = ({ left, right }: Pair): string => keyOfIds(left.generation_id, right.generation_id);

/** More pairs, without those that are on the table or were judged. `unsent`: keys of votes the server has not counted yet. */
export function deal(deck: Deck, answer: Schemas["PairList"], asked: number, unsent: readonly string[]): Deck {
  const known = new Set([...[...deck.pairs, ...deck.given.map(({ pair }) => pair)].map(keyOf), ...unsent]);
  const fresh = answer.items.filter((pair) => !known.has(keyOf(pair)));
  return {
    ...deck,
    pairs: [...deck.pairs, ...fresh],
    // Votes that are still on their way are not counted by the server yet.
    judged: answer.judged + unsent.length,
    remaining: Math.max(0, answer.remaining - unsent.length),
    dry: answer.items.length < asked || fresh.length === 0,
  };
}

export function vote(deck: Deck, id: string, choice: Choice): Deck {
  const [pair, ...pairs] = deck.pairs;
  if (!pair) return deck;
  return {
    ...deck,
    pairs,
    given: [...deck.given, { id, pair, choice }],
    judged: deck.judged + 1,
    remaining: Math.max(0, deck.remaining - 1),
  };
}

/** A vote is taken back, by its giver or because the server refused it: its pair is on top again. */
export function takeBack(deck: Deck, id: string): Deck {
  const given = deck.given.find((one) => one.id === id);
  if (!given) return deck;
  return {
    ...deck,
    pairs: [given.pair, ...deck.pairs],
    given: deck.given.filter((one) => one !== given),
    judged: Math.max(0, deck.judged - 1),
    remaining: deck.remaining + 1,
  };
}
