// The same done to many pictures: shown at once, taken back where the server skipped some, undone when asked.
import type { QueryClient } from "@tanstack/react-query";
import { dropCached, editCached } from "@/api/changes";
import { api, call, download, type Generation, type Schemas } from "@/api/client";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { selection } from "./selection";

/** Of one request. */
const MOST = 1000;

export function parts<T>(list: readonly T[], most = MOST): T[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, index) =>
    list.slice(index * most, (index + 1) * most),
  );
}

type Action = Omit<Schemas["Batch"], "ids">;

async function batch(ids: string[], action: Action): Promise<Schemas["BatchAnswer"]> {
  const all: Schemas["BatchAnswer"] = { changed: [], skipped: [] };
  for (const part of parts(ids)) {
    const answer = await call(api.POST("/api/v1/generations/batch", { body: { ids: part, ...action } }));
    all.changed.push(...answer.changed);
    all.skipped.push(...answer.skipped);
  }
  return all;
}

function saySkipped(skipped: Schemas["BatchAnswer"]["skipped"]): void {
  const reasons = [...new Set(skipped.map((one) => one.reason))].slice(0, 3);
  if (skipped.length) notify.info(t("gallery.skipped", { n: skipped.length }), reasons.join("; "));
}

function edited(action: Action, one: Generation): Generation {
  const kept = one.tags.filter((tag) => !action.remove_tags?.includes(tag));
  return {
    ...one,
    ...(action.rating === undefined ? {} : { rating: action.rating }),
    ...(action.favourite === undefined ? {} : { favourite: action.favourite }),
    tags: [...kept, ...(action.add_tags ?? []).filter((tag) => !kept.includes(tag))],
  };
}

/** Rate, mark or tag. `pictures`: as they are now, to go back to. */
export async function updateMany(client: QueryClient, pictures: Generation[], action: Action): Promise<void> {
  const before = new Map(pictures.map((one) => [one.id, one]));
  const back = (ids: string[]) => editCached(client, new Set(ids), (one) => before.get(one.id) ?? one);
  editCached(client, new Set(before.keys()), (one) => edited(action, one));
  try {
    const { skipped } = await batch([...before.keys()], action);
    back(skipped.map((one) => one.id));
    saySkipped(skipped);
    if (action.add_tags || action.remove_tags) void client.invalidateQueries({ queryKey: ["tags"] });
  } catch (error) {
    back([...before.keys()]);
    notify.error(error);
  }
}

export async function deleteMany(client: QueryClient, ids: string[]): Promise<void> {
  try {
    const { changed, skipped } = await batch(ids, { action: "delete" });
    const gone = new Set(changed);
    dropCached(client, gone);
    selection.drop(gone);
    saySkipped(skipped);
    if (!changed.length) return;
    notify.undo(t("gallery.deleted", { n: changed.length }), async () => {
      saySkipped((await batch(changed, { action: "restore" })).skipped);
      await client.invalidateQueries({ queryKey: ["generations"] });
    });
  } catch (error) {
    notify.error(error);
  }
}

export async function exportMany(ids: string[]): Promise<void> {
  try {
    const pieces = parts(ids);
    for (const [index, part] of pieces.entries())
      await download(
        "/api/v1/generations/zip",
        { ids: part },
        pieces.length > 1 ? `pictures-${index + 1}.zip` : "pictures.zip",
      );
  } catch (error) {
    notify.error(error);
  }
}
