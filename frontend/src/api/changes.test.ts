import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, it } from "vitest";
import { problem, serve } from "@/test/render";
import { changeGeneration, deleteGeneration, dropCached, editCached } from "./changes";
import type { Generation } from "./client";
import { generationQuery } from "./queries";

const one = (id: string) => ({ id, rating: null, favourite: false, tags: [] as string[] }) as unknown as Generation;
let client: QueryClient;

beforeEach(() => {
  localStorage.clear();
  client = new QueryClient();
  client.setQueryData(generationQuery("a").queryKey, one("a"));
  for (const key of [
    ["generations", {}],
    ["grid", "e", 0],
  ])
    client.setQueryData(key, { pages: [{ items: [one("a"), one("b")], next_cursor: null }], pageParams: [""] });
});

type Pages = { pages: { items: Generation[] }[] };
const list = (key: unknown[]) => client.getQueryData<Pages>(key)?.pages[0]?.items ?? [];

it("shows a change in every cache at once and goes back when the server refuses it", async () => {
  const { asked } = serve({ "PATCH /api/v1/generations/a": () => problem(403, "forbidden", "viewers read") });
  const change = changeGeneration(client, one("a"), { rating: 4, tags: ["keep"] });
  for (const key of [
    ["generations", {}],
    ["grid", "e", 0],
  ])
    expect(list(key)[0]).toMatchObject({ rating: 4, tags: ["keep"] });
  expect(client.getQueryData(generationQuery("a").queryKey)).toMatchObject({ rating: 4 });
  await change;
  expect(asked[0]?.body).toEqual({ rating: 4, tags: ["keep"] });
  expect(list(["generations", {}])[0]).toMatchObject({ rating: null, tags: [] });
  expect(client.getQueryData(generationQuery("a").queryKey)).toMatchObject({ rating: null });
});

it("leaves what it does not concern as it is", () => {
  const before = client.getQueryData(["generations", {}]);
  editCached(client, new Set(["z"]), (it) => ({ ...it, rating: 1 }));
  expect(client.getQueryData(["generations", {}])).toBe(before);
});

it("takes deleted ones out of lists, not out of grids", async () => {
  serve({ "DELETE /api/v1/generations/a": () => new Response(null, { status: 204 }) });
  expect(await deleteGeneration(client, "a", "gone")).toBe(true);
  expect(list(["generations", {}]).map((it) => it.id)).toEqual(["b"]);
  expect(list(["grid", "e", 0])).toHaveLength(2);
  dropCached(client, new Set(["b"]));
  expect(list(["generations", {}])).toEqual([]);
});

it("keeps what may not be deleted", async () => {
  serve({ "DELETE /api/v1/generations/a": () => problem(409, "conflict", "it runs") });
  expect(await deleteGeneration(client, "a", "gone")).toBe(false);
  expect(list(["generations", {}])).toHaveLength(2);
});
