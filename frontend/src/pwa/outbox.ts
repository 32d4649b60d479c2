// What was decided without a connection: votes, ratings, favourites, tags. They wait in localStorage, in order, and are
// sent when the server answers again; the API takes each of them twice without harm (votes carry their own id, the
// others set a state).
//
//   await send({ method: "PATCH", path: `/api/v1/generations/${id}`, body: { rating: 4 } });
//
// "sent", or "queued" when there is no connection; a refusal of the server throws a Problem.
import { create } from "zustand";
import { asProblem, type Problem, problemOf } from "@/api/client";
import { uuid7 } from "@/lib/uuid";

export interface Message {
  method: "POST" | "PATCH" | "DELETE";
  path: string;
  body?: Record<string, unknown>;
}

interface Waiting extends Message {
  id: string;
  at: number;
}

interface State {
  waiting: Waiting[];
  /** What the server would not take when it was sent later; shown once. */
  refused: { message: Waiting; problem: Problem }[];
}

const place = "cauldron-outbox";
const retryFirst = 2000;
const retryMost = 60_000;

function load(): Waiting[] {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "[]") as Waiting[];
  } catch {
    return [];
  }
}

export const useOutbox = create<State>(() => ({ waiting: load(), refused: [] }));

function keep(change: (waiting: Waiting[]) => Waiting[]): void {
  const waiting = change(load());
  localStorage.setItem(place, JSON.stringify(waiting));
  useOutbox.setState({ waiting });
}

/** A second change of the same thing goes into the first: only the last state matters. */
export function enqueue(waiting: Waiting[], message: Waiting): Waiting[] {
  const last = waiting.findLast((one) => one.path === message.path);
  if (message.method === "PATCH" && last?.method === "PATCH")
    return waiting.map((one) => (one === last ? { ...one, body: { ...one.body, ...message.body } } : one));
  return [...waiting, message];
}

/** Problems that pass: no connection, a busy or restarting server, a login that ran out. */
const passes = (problem: Problem): boolean => [0, 401, 408, 429, 502, 503, 504].includes(problem.status);

async function deliver(message: Message): Promise<void> {
  let response: Response;
  try {
    response = await fetch(new URL(message.path, location.origin), {
      method: message.method,
      credentials: "same-origin",
      headers: message.body ? { "Content-Type": "application/json" } : {},
      body: message.body ? JSON.stringify(message.body) : undefined,
    });
  } catch (error) {
    throw asProblem(error);
  }
  if (!response.ok) throw problemOf(await response.json().catch(() => null), response);
}

export async function send(message: Message): Promise<"sent" | "queued"> {
  if (load().length === 0) {
    try {
      await deliver(message);
      return "sent";
    } catch (error) {
      if (asProblem(error).status !== 0) throw error;
    }
  }
  keep((waiting) => enqueue(waiting, { ...message, id: uuid7(), at: Date.now() }));
  void drain();
  return "queued";
}

let timer: ReturnType<typeof setTimeout> | undefined;
let pause = retryFirst;

function later(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void drain(), pause);
  pause = Math.min(pause * 2, retryMost);
}

async function drainOnce(): Promise<void> {
  for (let first = load()[0]; first; first = load()[0]) {
    const sent = first;
    let refused: Problem | undefined;
    try {
      await deliver(sent);
    } catch (error) {
      const problem = asProblem(error);
      if (passes(problem)) return later();
      // Gone already, or said before: what was wanted holds.
      if (![404, 409, 410].includes(problem.status)) refused = problem;
    }
    pause = retryFirst;
    // A change that came meanwhile has gone into the same message: then it is sent once more.
    keep((waiting) =>
      waiting.filter((one) => one.id !== sent.id || JSON.stringify(one.body) !== JSON.stringify(sent.body)),
    );
    if (refused) {
      const problem = refused;
      useOutbox.setState((state) => ({ refused: [...state.refused, { message: sent, problem }] }));
    }
  }
}

let running: Promise<void> | undefined;

async function drainAlone(): Promise<void> {
  if (navigator.locks) await navigator.locks.request(place, { ifAvailable: true }, (lock) => lock && drainOnce());
  else await drainOnce();
}

/** Send what waits; one tab at a time, and each message once. */
export function drain(): Promise<void> {
  running ??= Promise.resolve()
    .then(drainAlone)
    .finally(() => {
      running = undefined;
    });
  return running;
}

/** From the app's start on: at once, and whenever there is reason to hope. */
export function startOutbox(): () => void {
  const hope = () => {
    pause = retryFirst;
    void drain();
  };
  const visible = () => document.visibilityState === "visible" && hope();
  const other = (event: StorageEvent) => event.key === place && useOutbox.setState({ waiting: load() });
  addEventListener("online", hope);
  addEventListener("storage", other);
  document.addEventListener("visibilitychange", visible);
  hope();
  return () => {
    removeEventListener("online", hope);
    removeEventListener("storage", other);
    document.removeEventListener("visibilitychange", visible);
    clearTimeout(timer);
  };
}

export function forgetOutbox(): void {
  keep(() => []);
}
