// Keys of the page, and the list of them that "?" shows.
//
//   useHotkeys([{ keys: "f", label: t("rating.favourite"), run: toggle }]);
//
// `keys` is KeyboardEvent.key, with "Mod+" (Ctrl or Command) and "Shift+" before it. Nothing is done while somebody
// types, except for keys with Mod and Escape. The page that was mounted last answers first.
import { useEffect, useRef } from "react";
import { create } from "zustand";

export interface Hotkey {
  keys: string;
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Also while somebody types. */
  always?: boolean;
  /** Answers only while this holds; the help lists it all the same. */
  when?: () => boolean;
  /** Of the whole app: stands apart in the help. */
  everywhere?: boolean;
}

type Layer = { current: Hotkey[] };
const layers: Layer[] = [];
export const useHotkeyList = create<{ version: number }>(() => ({ version: 0 }));
export const hotkeyList = (): Hotkey[] => layers.flatMap((layer) => layer.current);

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return (
    target instanceof HTMLInputElement &&
    !["checkbox", "radio", "range", "button", "submit", "file"].includes(target.type)
  );
}

function named(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // "?" and the like are typed with Shift on some keyboards: Shift counts for letters and named keys only.
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  return `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${shift ? "Shift+" : ""}${key}`;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const name = named(event);
  const typing = isTyping(event.target);
  for (const layer of [...layers].reverse())
    for (const hotkey of layer.current)
      if (hotkey.keys === name && (!typing || hotkey.always || name.startsWith("Mod+")) && hotkey.when?.() !== false) {
        event.preventDefault();
        hotkey.run(event);
        return;
      }
}

export function useHotkeys(hotkeys: Hotkey[], enabled = true): void {
  const layer = useRef<Hotkey[]>(hotkeys);
  useEffect(() => {
    layer.current = hotkeys;
  });
  useEffect(() => {
    if (!enabled) return;
    if (!layers.length) addEventListener("keydown", onKey);
    layers.push(layer);
    useHotkeyList.setState(({ version }) => ({ version: version + 1 }));
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (!layers.length) removeEventListener("keydown", onKey);
      useHotkeyList.setState(({ version }) => ({ version: version + 1 }));
    };
  }, [enabled]);
}
