/** "Steps & CFG" -> "Steps-CFG.json". */
export const fileName = (name: string): string =>
  `${
    name
      .trim()
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 80) || "experiment"
  }.json`;
