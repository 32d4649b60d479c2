// The gallery's keys. They act on what is chosen, or on the tile that has the keyboard when nothing is.
import { useQueryClient } from "@tanstack/react-query";
import type { RefObject } from "react";
import type { Generation } from "@/api/client";
import { t } from "@/i18n";
import { type Hotkey, useHotkeys } from "@/lib/hotkeys";
import { deleteMany, updateMany } from "./batch";
import { moved } from "./layout";
import { selection, useSelection } from "./selection";

interface Args {
  items: Generation[];
  columns: number;
  mayWrite: boolean;
  enabled: boolean;
  field: RefObject<HTMLInputElement | null>;
  onOpen: (id: string) => void;
  onCompare: () => void;
}

export function useGalleryKeys({ items, columns, mayWrite, enabled, field, onOpen, onCompare }: Args): void {
  const client = useQueryClient();
  const ids = items.map((one) => one.id);
  const meant = (): Generation[] => {
    const { chosen, active } = useSelection.getState();
    return items.filter((one) => (chosen.size ? chosen.has(one.id) : one.id === active));
  };
  const walk = (key: string, label: string, extend: boolean): Hotkey => ({
    keys: extend ? `Shift+${key}` : key,
    label,
    run: () => {
      const { active } = useSelection.getState();
      const to = ids[moved(key, active ? ids.indexOf(active) : -1, columns, ids.length)];
      if (!to) return;
      if (extend) selection.extend(ids, to);
      selection.call(to);
    },
  });
  const arrows = (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"] as const).flatMap((key) => [
    walk(key, t("gallery.keys.walk"), false),
    walk(key, t("gallery.keys.extend"), true),
  ]);
  const active = () => useSelection.getState().active;
  const change = (action: { rating?: number; favourite?: boolean }) => {
    const pictures = meant();
    if (pictures.length) void updateMany(client, pictures, { action: "update", ...action });
  };
  const remove = () => {
    const pictures = meant();
    if (!pictures.length) return;
    const at = ids.indexOf(pictures.at(-1)?.id ?? "");
    const next = ids[at + 1] ?? ids[at - pictures.length];
    void deleteMany(
      client,
      pictures.map((one) => one.id),
    ).then(() => next && selection.call(next));
  };
  useHotkeys(
    [
      ...arrows,
      walk("Home", t("gallery.keys.first"), false),
      walk("End", t("gallery.keys.last"), false),
      {
        keys: "Enter",
        label: t("gallery.keys.open"),
        run: () => {
          const id = active();
          if (id) onOpen(id);
        },
      },
      {
        keys: " ",
        label: t("gallery.keys.select"),
        run: () => {
          const id = active();
          if (id) selection.toggle(id);
        },
      },
      { keys: "Mod+a", label: t("gallery.keys.all"), run: () => selection.all(ids) },
      { keys: "Escape", label: t("gallery.clearSelection"), run: selection.clear },
      { keys: "/", label: t("common.keys.search"), run: () => field.current?.focus() },
      { keys: "c", label: t("gallery.compare"), run: onCompare },
      ...(mayWrite
        ? [
            ...[1, 2, 3, 4, 5].map((rating) => ({
              keys: String(rating),
              label: t("common.rating.stars", { n: rating }),
              run: () => change({ rating: meant().every((one) => one.rating === rating) ? 0 : rating }),
            })),
            {
              keys: "f",
              label: t("common.rating.favourite"),
              run: () => change({ favourite: !meant().every((one) => one.favourite) }),
            },
            { keys: "x", label: t("common.delete"), run: remove },
            { keys: "Delete", label: t("common.delete"), run: remove },
          ]
        : []),
    ],
    enabled,
  );
}
