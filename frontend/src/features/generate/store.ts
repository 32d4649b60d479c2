// What the page Generate holds between visits and reloads: the recipe being written, the start image, what was drawn
// last.
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { draftKeys, type RecipeDraft } from "@/features/recipe/draft";

/** A picture to start from: one of ours, or a file as a data URL. */
export type Source = { kind: "generation"; id: string } | { kind: "file"; name: string; data: string };

interface Studio {
  draft: RecipeDraft;
  count: number;
  start?: Source;
  mask?: Source;
  /** The newest request's pictures, or the one chosen from the history. */
  shown: string[];
  /** Which of them the buttons act on. */
  selected?: string;
  set: (change: Partial<Omit<Studio, "set">>) => void;
}

/** Files beyond this are not kept over a reload: localStorage is small, and written with every letter of the prompt. */
const keptBytes = 300_000;
const kept = (source: Source | undefined): Source | undefined =>
  source?.kind === "file" && source.data.length > keptBytes ? undefined : source;

/** JSON has no NaN: a number that could not be read comes back as null. */
function readable(draft: RecipeDraft | undefined): RecipeDraft {
  return Object.fromEntries(
    Object.entries(draft ?? {}).filter(
      ([key, value]) => (draftKeys as readonly string[]).includes(key) && value !== null,
    ),
  ) as RecipeDraft;
}

export const useStudio = create<Studio>()(
  persist((set) => ({ draft: {}, count: 1, shown: [], set: (change) => set(change) }), {
    name: "cauldron-generate",
    version: 1,
    partialize: ({ draft, count, start, mask, shown, selected }) => ({
      draft,
      count,
      start: kept(start),
      mask: kept(mask),
      shown,
      selected,
    }),
    merge: (stored, current) => {
      const old = stored as Partial<Studio>;
      return { ...current, ...old, draft: readable(old.draft) };
    },
  }),
);

export const sourceValue = (source: Source | undefined): string | undefined =>
  source?.kind === "file" ? source.data : source?.id;

export const sourceUrl = (source: Source): string =>
  source.kind === "file" ? source.data : `/api/v1/generations/${source.id}/thumbnail?size=256`;
