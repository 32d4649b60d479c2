import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Experiment, Generation } from "@/api/client";
import { experimentQuery, gridQuery } from "@/api/queries";
import { useLink } from "@/api/socket";
import { serve } from "@/test/render";
import { follow } from "./live";

type Handler = (payload: unknown) => void;
const socket = vi.hoisted(() => ({ handlers: {} as Record<string, Handler>, resume: () => {} }));
vi.mock("@/api/socket", async (original) => ({
  ...(await original<typeof import("@/api/socket")>()),
  listen: (_: string[], handlers: Record<string, Handler>, resume: () => void) => {
    Object.assign(socket, { handlers, resume });
    return () => {};
  },
}));

const cell = (id: string, status: string, attempts = 0) => ({ id, status, attempts }) as Generation;
const run = (completed: number, status = "running") => ({
  id: "r1",
  number: 1,
  status,
  total: 2,
  completed,
  failed: 0,
  cancelled: 0,
  impossible: 0,
  reused: 0,
});
const experiment = (completed: number, status = "running") =>
  ({ id: "e", name: "x", status, run: run(completed, status) }) as unknown as Experiment;
const page = (...items: Generation[]) => ({ run: run(0), axes: [], items, next_cursor: null });
const progress = (completed: number, sequence: number, more = {}) =>
  socket.handlers["experiment:e:progress"]?.({ ...run(completed), run_id: "r1", eta_seconds: 1, sequence, ...more });
const ended = (generation: Generation) =>
  socket.handlers["experiment:e:cell"]?.({ experiment_id: "e", run_id: "r1", generation });

let client: QueryClient;
let stop: () => void;
const shown = () => client.getQueryData(gridQuery("e").queryKey)?.pages[0]?.items.map(({ status }) => status);
const counted = () => client.getQueryData(experimentQuery("e").queryKey)?.run?.completed;
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  useLink.setState({ state: "online" });
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(experimentQuery("e").queryKey, experiment(0));
  client.setQueryData(gridQuery("e").queryKey, {
    pages: [page(cell("a", "queued"), cell("b", "queued"))],
    pageParams: [""],
  } as never);
  stop = follow(client, "e");
});
afterEach(() => {
  stop();
  client.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("cells and counters follow events, together", async () => {
  ended(cell("a", "succeeded", 1));
  progress(1, 10);
  expect(shown()).toEqual(["queued", "queued"]);
  await later(200);
  expect(shown()).toEqual(["succeeded", "queued"]);
  expect(counted()).toBe(1);
});

it("an event that is late changes nothing", async () => {
  progress(2, 20, { status: "completed" });
  progress(1, 10);
  await later(200);
  expect(counted()).toBe(2);
  expect(client.getQueryData(experimentQuery("e").queryKey)?.status).toBe("completed");
});

it("an answer that was asked for before an event does not undo it", async () => {
  let answer: (response: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise<Response>((done) => (answer = done)));
  const asked = client.fetchQuery({ ...experimentQuery("e"), staleTime: 0 });
  await later(10);
  progress(2, 20, { status: "completed" });
  await later(200);
  answer(Response.json(experiment(1)));
  await asked;
  await later(10);
  expect(counted()).toBe(2);
});

it("a page that was read before a cell ended does not undo it", async () => {
  let answer: (response: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise<Response>((done) => (answer = done)));
  const asked = client.fetchInfiniteQuery({ ...gridQuery("e"), staleTime: 0 });
  await later(10);
  ended(cell("a", "succeeded", 1));
  await later(200);
  answer(Response.json(page(cell("a", "running", 1), cell("b", "queued"))));
  await asked;
  await later(10);
  expect(shown()).toEqual(["succeeded", "queued"]);
});

it("an answer that is younger than an event counts: a retry makes a failed cell wait", async () => {
  ended(cell("a", "failed", 3));
  await later(200);
  expect(shown()).toEqual(["failed", "queued"]);
  serve({ "GET /api/v1/experiments/e/grid": () => page(cell("a", "queued"), cell("b", "queued")) });
  await client.fetchInfiniteQuery({ ...gridQuery("e"), staleTime: 0 });
  await later(10);
  expect(shown()).toEqual(["queued", "queued"]);
});

it("lost cells are found by the counters and asked for once", async () => {
  const { asked } = serve({
    "GET /api/v1/experiments/e/grid": () => page(cell("a", "succeeded", 1), cell("b", "queued")),
  });
  progress(1, 10);
  await later(20_000);
  expect(shown()).toEqual(["succeeded", "queued"]);
  expect(asked.length).toBe(1);
});

it("counters that no answer can explain are not asked about for ever", async () => {
  const { asked } = serve({
    "GET /api/v1/experiments/e/grid": () => page(cell("a", "queued"), cell("b", "queued")),
  });
  progress(1, 10);
  await later(60_000);
  expect(asked.length).toBe(1);
});

it("after a reconnection the counters and the open pages are asked again", async () => {
  const { asked } = serve({
    "GET /api/v1/experiments/e": () => experiment(1),
    "GET /api/v1/experiments/e/grid": () => page(cell("a", "succeeded", 1), cell("b", "running", 1)),
  });
  socket.resume();
  await later(100);
  expect(asked.map(({ path }) => path)).toContain("/api/v1/experiments/e/grid");
  expect(shown()).toEqual(["succeeded", "running"]);
});

it("a new run is asked for once, however often it is heard of", async () => {
  const spy = vi.spyOn(client, "invalidateQueries");
  for (let n = 1; n <= 3; n++) {
    progress(0, n, { run_id: "r2", number: 2 });
    await later(200);
  }
  expect(spy.mock.calls.filter(([filter]) => filter?.queryKey?.[0] === "grid").length).toBe(1);
});

it("a run that grows brings its new cells", async () => {
  const spy = vi.spyOn(client, "invalidateQueries");
  progress(1, 1, { total: 5 });
  await later(200);
  progress(2, 2, { total: 5 });
  await later(200);
  expect(spy.mock.calls.filter(([filter]) => filter?.queryKey?.[0] === "grid").length).toBe(1);
});

it("ten thousand cells in one breath are one update", async () => {
  const all = Array.from({ length: 10_000 }, (_, index) => cell(String(index), "queued"));
  client.setQueryData(gridQuery("e").queryKey, { pages: [page(...all)], pageParams: [""] } as never);
  const updates = vi.fn();
  const end = client.getQueryCache().subscribe((event) => event.type === "updated" && updates());
  for (const one of all) ended({ ...one, status: "succeeded", attempts: 1 });
  await later(200);
  end();
  expect(new Set(shown())).toEqual(new Set(["succeeded"]));
  expect(updates).toHaveBeenCalledTimes(1);
});
