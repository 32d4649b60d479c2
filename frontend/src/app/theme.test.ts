import { recipes, slotRecipes } from "@chakra-ui/react/theme";
import { expect, test } from "vitest";
import { system } from "./theme";

const sources = import.meta.glob<string>("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });

/** Components that wear another one's recipe, or several. */
const wears: Record<string, string[]> = {
  IconButton: ["button"],
  CloseButton: ["button"],
  LinkButton: ["button"],
  Checkbox: ["checkbox", "checkmark"],
  RadioGroup: ["radioGroup", "radiomark"],
  InputGroup: ["inputAddon"],
  InputAddon: ["inputAddon"],
};

function used(): Set<string> {
  const found = new Set<string>();
  for (const text of Object.values(sources))
    for (const [, names = ""] of text.matchAll(/import \{([^}]*)\} from "@chakra-ui\/react"/g))
      for (const part of names.split(",")) {
        const name = part.trim().split(" ")[0] ?? "";
        for (const recipe of wears[name] ?? [name.charAt(0).toLowerCase() + name.slice(1)]) found.add(recipe);
      }
  return found;
}

test("every component that is used has its recipe", () => {
  const names = used();
  expect(names.size).toBeGreaterThan(20);
  const theirs = Object.keys({ ...recipes, ...slotRecipes }).filter((name) => names.has(name));
  expect(theirs.filter((name) => !system.isRecipe(name) && !system.isSlotRecipe(name))).toEqual([]);
});

test("and no other one is carried along", () => {
  const names = used();
  const ours = Object.keys({ ...recipes, ...slotRecipes }).filter(
    (name) => system.isRecipe(name) || system.isSlotRecipe(name),
  );
  expect(ours.filter((name) => !names.has(name))).toEqual([]);
});

/** WCAG 2.2's relative luminance of #rrggbb. */
function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function colour(token: string, theme: "_light" | "_dark"): string {
  let value = token;
  for (let depth = 0; depth < 5 && !value.startsWith("#"); depth++) {
    if (value === "white") return "#ffffff";
    const found = system.tokens.getByName(`colors.${value}`);
    const conditions = found?.extensions.conditions as Record<string, string> | undefined;
    value = String(conditions?.[theme] ?? conditions?.base ?? found?.originalValue ?? "")
      .replace(/^\{colors\.|\}$/g, "")
      .trim();
  }
  return value;
}

test.each([
  ["fg", "bg"],
  ["fg", "bg.panel"],
  ["fg", "bg.muted"],
  ["fg.muted", "bg"],
  ["fg.muted", "bg.panel"],
  ["fg.muted", "bg.muted"],
  ["fg.error", "bg.panel"],
  ["fg.warning", "bg.panel"],
  ["fg.success", "bg.panel"],
  ["brand.fg", "bg.panel"],
  ["brand.fg", "brand.subtle"],
  ["brand.contrast", "brand.solid"],
  ["red.contrast", "red.solid"],
])("%s can be read on %s", (front, back) => {
  for (const theme of ["_light", "_dark"] as const) {
    const [a, b] = [luminance(colour(front, theme)), luminance(colour(back, theme))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    expect(contrast, `${theme}: ${colour(front, theme)} on ${colour(back, theme)}`).toBeGreaterThanOrEqual(4.5);
  }
});
