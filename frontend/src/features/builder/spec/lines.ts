// Texts, one per line: prompts, and the values of words in them. Blank lines and lines that begin with # are left out.
// A line break inside a text is written \n, a # that begins one \#, an empty text "", so that every list can be typed.
import type { Item } from "./values";

const fromLine = (line: string): string =>
  (line === '""' ? "" : line)
    .replace(/^\\(#|""$)/, "$1")
    .replace(/(\\+)n/g, (_, slashes: string) =>
      slashes.length % 2 ? `${slashes.slice(1, (slashes.length + 1) / 2)}\n` : `${slashes.slice(slashes.length / 2)}n`,
    );

const toLine = (text: string): string =>
  text
    .replace(/(\\*)\n|(\\+)n/g, (_, before: string | undefined, slashes: string | undefined) =>
      slashes === undefined ? `${before}${before}\\n` : `${slashes}${slashes}n`,
    )
    .replace(/^(#|""$)/, "\\$1")
    .replace(/^$/, '""');

export function readLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(fromLine);
}

export const writeLines = (texts: string[]): string => texts.map(toLine).join("\n");

/** What stands in the field: what was typed, comments and all, while it still says the same as the values. */
export function linesText(texts: string[], typed?: string): string {
  if (typed !== undefined && JSON.stringify(readLines(typed)) === JSON.stringify(texts)) return typed;
  return writeLines(texts);
}

/** Texts of plain values; null when a label or settings stand with one, or a text that no line can say. */
export function plainTexts(items: Item[]): string[] | null {
  const texts: string[] = [];
  for (const { value, label, set } of items) {
    if (typeof value !== "string" || label !== undefined || set !== undefined) return null;
    texts.push(value);
  }
  return JSON.stringify(readLines(writeLines(texts))) === JSON.stringify(texts) ? texts : null;
}

/** Words in braces, in the order of their first appearance. */
export function variablesIn(texts: string[]): string[] {
  const found = new Set<string>();
  for (const text of texts)
    for (const [, word] of text.matchAll(/\{([^{}\s][^{}]{0,63})\}/g)) if (word) found.add(word);
  return [...found];
}
