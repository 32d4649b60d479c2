import { expect, test } from "vitest";
import type { Generation } from "./client";
import { findCached, gridQuery, makeQueryClient } from "./queries";

const generation = (id: string) => ({ id }) as Generation;

test("a generation is found in whatever list or grid has it", () => {
  const client = makeQueryClient();
  const page = (...ids: string[]) => ({ pages: [{ items: ids.map(generation), next_cursor: null }], pageParams: [""] });
  client.setQueryData(["generations", { q: "x" }], page("a", "b"));
  client.setQueryData(gridQuery("e").queryKey as readonly unknown[], page("c"));
  expect(findCached(client, "b")?.id).toBe("b");
  expect(findCached(client, "c")?.id).toBe("c");
  expect(findCached(client, "d")).toBeUndefined();
});
