import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { problem } from "@/test/render";
import { drain, enqueue, forgetOutbox, send, startOutbox, useOutbox } from "./outbox";

let answer: () => Response | Promise<Response>;
const asked: { method: string; path: string; body: unknown }[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    const got = await answer();
    asked.push({ method: init.method ?? "", path: url.pathname, body: init.body && JSON.parse(String(init.body)) });
    return got;
  });
});
afterEach(() => {
  forgetOutbox();
  useOutbox.setState({ refused: [] });
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const offline = () => {
  throw new TypeError("Failed to fetch");
};
const rating = (value: number) =>
  ({ method: "PATCH", path: "/api/v1/generations/a", body: { rating: value } }) as const;

test("with a connection it is sent at once", async () => {
  answer = () => Response.json({});
  expect(await send(rating(3))).toBe("sent");
  expect(asked).toEqual([{ method: "PATCH", path: "/api/v1/generations/a", body: { rating: 3 } }]);
  expect(useOutbox.getState().waiting).toEqual([]);
});

test("a refusal at once is thrown and does not wait", async () => {
  answer = () => problem(403, "forbidden", "viewers do not rate");
  await expect(send(rating(3))).rejects.toThrow("viewers do not rate");
  expect(useOutbox.getState().waiting).toEqual([]);
});

test("without a connection it waits, in order, and is sent when there is one again", async () => {
  answer = offline;
  expect(await send(rating(2))).toBe("queued");
  expect(await send({ method: "POST", path: "/api/v1/votes", body: { id: "1" } })).toBe("queued");
  expect(JSON.parse(localStorage.getItem("cauldron-outbox") ?? "[]")).toHaveLength(2);
  answer = () => Response.json({});
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.map((one) => one.path)).toEqual(["/api/v1/generations/a", "/api/v1/votes"]);
  expect(useOutbox.getState().waiting).toEqual([]);
});

test("changes of one thing become one message; votes stay apart", () => {
  const at = { id: "1", at: 0 };
  let waiting = enqueue([], { ...rating(2), ...at });
  waiting = enqueue(waiting, {
    method: "PATCH",
    path: "/api/v1/generations/a",
    body: { favourite: true },
    id: "2",
    at: 1,
  });
  expect(waiting).toEqual([{ ...rating(2), ...at, body: { rating: 2, favourite: true } }]);
  const vote = { method: "POST", path: "/api/v1/votes", body: {}, at: 0 } as const;
  expect(enqueue(enqueue([], { ...vote, id: "1" }), { ...vote, id: "2" })).toHaveLength(2);
});

test("a change made while the first is on its way is sent as well", async () => {
  answer = offline;
  await send(rating(2));
  let first = true;
  answer = async () => {
    if (first) {
      first = false;
      await send(rating(5));
    }
    return Response.json({});
  };
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.map((one) => one.body)).toEqual([{ rating: 2 }, { rating: 5 }]);
  expect(useOutbox.getState().waiting).toEqual([]);
});

test("what the server refuses later is told; what is gone is not; a busy server is asked again", async () => {
  answer = offline;
  for (const path of ["/busy", "/gone", "/bad"]) await send({ method: "POST", path, body: {} });
  await vi.advanceTimersByTimeAsync(0);
  const answers = [
    problem(503, "busy", "later"),
    Response.json({}),
    problem(404, "not_found", "gone"),
    problem(422, "invalid", "no such choice"),
  ];
  answer = () => answers.shift() ?? Response.json({});
  await drain();
  expect(useOutbox.getState().waiting).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(useOutbox.getState().waiting).toEqual([]);
  expect(useOutbox.getState().refused.map((one) => [one.message.path, one.problem.message])).toEqual([
    ["/bad", "no such choice"],
  ]);
});

test("the app's start sends what an earlier visit left, and so does coming online", async () => {
  answer = offline;
  await send(rating(1));
  await vi.advanceTimersByTimeAsync(0);
  answer = () => Response.json({});
  const stop = startOutbox();
  await vi.advanceTimersByTimeAsync(0);
  expect(useOutbox.getState().waiting).toEqual([]);
  answer = offline;
  await send(rating(4));
  await vi.advanceTimersByTimeAsync(0);
  answer = () => Response.json({});
  dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked.map((one) => one.body)).toEqual([{ rating: 1 }, { rating: 4 }]);
  stop();
});

test("another tab's messages are seen; a broken store is an empty one", () => {
  const stop = startOutbox();
  localStorage.setItem("cauldron-outbox", "{");
  dispatchEvent(new StorageEvent("storage", { key: "cauldron-outbox" }));
  expect(useOutbox.getState().waiting).toEqual([]);
  stop();
});
