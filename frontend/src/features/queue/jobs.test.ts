import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Job } from "@/api/client";
import { serve } from "@/test/render";
import { filterOf, gather, hasEnded, isDelayed, jobsQuery, secondsOf, showJob, withFilter } from "./jobs";
import { onAll } from "./many";
import { recipeFacts } from "./recipe";

const job = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  status: "queued",
  priority: "batch",
  model: "demo",
  attempts: 0,
  created_at: "2026-11-21T21:00:00Z",
  ...more,
});

test("the filter is read from the address and written back, other parameters stay", () => {
  const search = new URLSearchParams("status=dead&priority=loud&view=7");
  expect(filterOf(search)).toEqual({ status: "dead", priority: undefined, experiment: undefined });
  expect(String(withFilter(search, { status: undefined, experiment: "e" }))).toBe("priority=loud&view=7&experiment=e");
});

test("all that fit are gathered page after page", async () => {
  const { asked } = serve({
    "GET /api/v1/jobs": ({ query }) =>
      query.get("cursor") ? { items: [job("b")], next_cursor: null } : { items: [job("a")], next_cursor: "next" },
  });
  expect((await gather({ status: "queued", priority: "batch" })).map((one) => one.id)).toEqual(["a", "b"]);
  expect(asked[1]?.query.get("priority")).toBe("batch");
  expect(asked[1]?.query.get("status")).toBe("queued");
});

test("what died has a list of its own", async () => {
  const { asked } = serve({ "GET /api/v1/jobs/dead": () => ({ items: [], next_cursor: null }) });
  await gather({ status: "dead" });
  expect(asked[0]?.path).toBe("/api/v1/jobs/dead");
});

test("one job's new state is shown wherever it stands", () => {
  const client = new QueryClient();
  const key = jobsQuery({}).queryKey;
  client.setQueryData(key, { pages: [{ items: [job("a"), job("b")], next_cursor: null }], pageParams: [""] });
  showJob(client, job("b", { priority: "interactive" }));
  expect(client.getQueryData(key)?.pages[0]?.items.map((one) => one.priority)).toEqual(["batch", "interactive"]);
});

test("states and times", () => {
  expect(hasEnded(job("a", { status: "running" }))).toBe(false);
  expect(hasEnded(job("a", { status: "cancelled" }))).toBe(true);
  expect(isDelayed(job("a", { run_after: "2026-11-21T21:00:09Z" }))).toBe(true);
  expect(isDelayed(job("a"))).toBe(false);
  const times = { started_at: "2026-11-21T21:00:00Z", finished_at: "2026-11-21T21:00:02.5Z" };
  expect(secondsOf(job("a", times))).toBe(2.5);
  expect(secondsOf(job("a"))).toBeUndefined();
});

test("a recipe names what was chosen, and a strength only with its start image", () => {
  const names = (recipe: Parameters<typeof recipeFacts>[0]) => recipeFacts(recipe).map(([name]) => name);
  expect(names({ prompt: "a circle", steps: 4, clip_skip: 0, strength: 0.8 })).toEqual(["Prompt", "Steps"]);
  expect(names({ init_sha256: "ab", strength: 0.8 })).toEqual(["Strength"]);
});

test("many are done a few at a time, and one failure does not end the others", async () => {
  let now = 0;
  let most = 0;
  const seen: number[] = [];
  const outcome = await onAll(
    [1, 2, 3, 4, 5, 6, 7],
    async (item) => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      if (item === 3) throw new Error("gone");
    },
    (done) => seen.push(done),
  );
  expect(outcome).toMatchObject({ done: 6, failed: 1 });
  expect(most).toBeLessThanOrEqual(4);
  expect(seen.at(-1)).toBe(7);
});
