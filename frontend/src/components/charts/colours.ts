// Colours for canvases, which know no tokens: read from the page, and again when the theme changes.
import { useSyncExternalStore } from "react";

function watch(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

/** Changes with the theme, so that whoever paints knows when to paint again. */
export const useThemeClass = (): string => useSyncExternalStore(watch, () => document.documentElement.className);

/** A semantic token ("fg.muted") as a colour of this moment. */
export function tokenColour(token: string): string {
  const name = `--chakra-colors-${token.replaceAll(".", "-")}`;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "gray";
}

// Okabe and Ito 2008: eight hues that people with any colour vision tell apart; made lighter or darker so that a line
// has a contrast of 3 against its ground (WCAG 1.4.11).
const light = ["#0072b2", "#c04d00", "#007a59", "#a34a80", "#8a6d00", "#2b7fb8", "#6d3fd9", "#4a4756"];
const dark = ["#56b4e9", "#ff9a4d", "#2fd0a0", "#e89cc8", "#f0e442", "#9fd3f5", "#a386fb", "#d0cdd8"];

export function seriesColour(index: number, isDark: boolean): string {
  const colours = isDark ? dark : light;
  return colours[index % colours.length] ?? "gray";
}

/** Beyond eight, and for who cannot tell hues at all: the dashes differ too. */
export const seriesDash = (index: number): number[] =>
  [[], [6, 4], [2, 3], [10, 4, 2, 4]][Math.floor(index / 8) % 4] ?? [];
