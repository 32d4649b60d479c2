// Deals pairs ahead of the jury, sends votes behind it.
import { useCallback, useEffect, useRef, useState } from "react";
import { api, asProblem, call } from "@/api/client";
import { uuid7 } from "@/lib/uuid";
import { send, useOutbox } from "@/pwa/outbox";
import { type Choice, type Deck, deal, emptyDeck, type Given, keyOf, keyOfIds, takeBack, vote } from "./deck";

/** Pairs of a question; a new one is asked when fewer than half are left. */
const AHEAD = 20;

/** The browser keeps what it has loaded: when a pair comes up, it is there. */
function preload(deck: Deck): void {
  for (const { left, right } of deck.pairs.slice(0, AHEAD))
    for (const side of [left, right]) if (side.image) new Image().src = side.image.url;
}

/** Keys of the votes that the server has not counted: on their way, or waiting for a connection. */
function unsentVotes(underWay: Iterable<string>): string[] {
  const waiting = useOutbox
    .getState()
    .waiting.flatMap(({ method, path, body }) =>
      method === "POST" && path === "/api/v1/votes" ? [keyOfIds(String(body?.left), String(body?.right))] : [],
    );
  return [...new Set([...waiting, ...underWay])];
}

export interface Table {
  deck: Deck;
  error: unknown;
  loading: boolean;
  choose: (choice: Choice) => void;
  undo: () => Given | undefined;
  again: () => void;
}

export function useDeck(id: string, run: number | undefined, axes: string): Table {
  const [deck, setDeck] = useState(emptyDeck);
  const [error, setError] = useState<unknown>();
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  /** Votes on their way: each undo waits for its own vote. */
  const underWay = useRef(new Map<string, { key: string; sent: Promise<unknown> }>());
  const shownAt = useRef(0);
  const top = deck.pairs[0] && keyOf(deck.pairs[0]);
  const wanted = !deck.dry && deck.pairs.length < AHEAD / 2;

  useEffect(() => {
    shownAt.current = top ? performance.now() : 0;
  }, [top]);

  useEffect(() => preload(deck), [deck]);

  // A connection that comes back brings pairs again.
  useEffect(() => {
    const online = () => setError((old: unknown) => (old && asProblem(old).status === 0 ? undefined : old));
    addEventListener("online", online);
    return () => removeEventListener("online", online);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks again
  useEffect(() => {
    if (!wanted || error) return;
    let ended = false;
    const query = { limit: AHEAD, ...(run ? { run } : {}), ...(axes ? { axes } : {}) };
    const pending = underWay.current;
    call(api.GET("/api/v1/experiments/{id}/pairs", { params: { path: { id }, query } }))
      .then((answer) => {
        if (ended) return;
        const unsent = unsentVotes([...pending.values()].map(({ key }) => key));
        setDeck((old) => deal(old, answer, AHEAD, unsent));
        if (answer.items.length === AHEAD) setRound((old) => old + 1);
      })
      .catch((problem: unknown) => !ended && setError(problem))
      .finally(() => !ended && setLoading(false));
    return () => {
      ended = true;
    };
  }, [id, run, axes, wanted, error, round]);

  const refuse = useCallback((vote: string, problem: unknown) => {
    setDeck((old) => takeBack(old, vote));
    setError(asProblem(problem));
  }, []);

  const choose = useCallback(
    (choice: Choice) => {
      const pair = deck.pairs[0];
      if (!pair) return;
      const now = Date.now();
      const vid = uuid7(now);
      const seconds = Math.min(86_400, Math.round(performance.now() - shownAt.current) / 1000);
      setDeck(vote(deck, vid, choice));
      const body = {
        id: vid,
        left: pair.left.generation_id,
        right: pair.right.generation_id,
        choice,
        seconds,
        voted_at: new Date(now).toISOString(),
      };
      const sent = send({ method: "POST", path: "/api/v1/votes", body })
        .catch((problem: unknown) => refuse(vid, problem))
        .finally(() => underWay.current.delete(vid));
      underWay.current.set(vid, { key: keyOf(pair), sent });
    },
    [deck, refuse],
  );

  const undo = useCallback(() => {
    const last = deck.given.at(-1);
    if (!last) return undefined;
    setDeck(takeBack(deck, last.id));
    void Promise.resolve(underWay.current.get(last.id)?.sent)
      .then(() => send({ method: "DELETE", path: `/api/v1/votes/${last.id}` }))
      .catch((problem: unknown) => asProblem(problem).status !== 404 && setError(problem));
    return last;
  }, [deck]);

  const again = useCallback(() => {
    setError(undefined);
    setLoading(true);
    setDeck((old) => ({ ...old, dry: false }));
    setRound((old) => old + 1);
  }, []);
  return { deck, error, loading, choose, undo, again };
}
