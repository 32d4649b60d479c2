// What came since the first page was asked for. Pure: pages of the cache and a fresh first page in, both sorted out.
import type { InfiniteData } from "@tanstack/react-query";
import type { Generation, Schemas } from "@/api/client";

export type Pages = InfiniteData<Schemas["GenerationPage"], string>;

export interface News {
  /** Not in the cache, newest first. */
  fresh: Generation[];
  /** Nothing of the fresh page is known: more came than one page holds. */
  gap: boolean;
}

export function newsOf(pages: Pages, first: Generation[]): News {
  const known = new Set(pages.pages.flatMap((page) => page.items.map((one) => one.id)));
  const fresh: Generation[] = [];
  for (const one of first) {
    if (known.has(one.id)) break;
    fresh.push(one);
  }
  return { fresh, gap: fresh.length > 0 && fresh.length === first.length && known.size > 0 };
}

/** Known ones as they are now; the same object when nothing changed. */
export function updated(pages: Pages, now: Generation[]): Pages {
  const byId = new Map(now.map((one) => [one.id, one]));
  let changed = false;
  const next = pages.pages.map((page) => {
    if (!page.items.some((one) => differs(one, byId.get(one.id)))) return page;
    changed = true;
    return { ...page, items: page.items.map((one) => byId.get(one.id) ?? one) };
  });
  return changed ? { ...pages, pages: next } : pages;
}

const differs = (old: Generation, now: Generation | undefined): boolean =>
  now !== undefined &&
  (old.status !== now.status ||
    old.rating !== now.rating ||
    old.favourite !== now.favourite ||
    old.tags.join() !== now.tags.join());

export function withFresh(pages: Pages, fresh: Generation[]): Pages {
  const [first, ...rest] = pages.pages;
  if (!first || !fresh.length) return pages;
  const known = new Set(first.items.map((one) => one.id));
  const items = [...fresh.filter((one) => !known.has(one.id)), ...first.items];
  return { ...pages, pages: [{ ...first, items }, ...rest] };
}
