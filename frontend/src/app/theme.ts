// The look: neutral greys so that pictures carry the colour, one accent, dark and light from the same
// semantic tokens. Every pair of text and background here keeps a contrast of 4.5 (WCAG 2.2 AA).
//
// Of Chakra's own theme only the recipes of components that we use are taken: all of them would be a tenth of the first
// load. src/app/theme.test.ts finds a component whose recipe is missing.
import { createSystem, defaultBaseConfig, defineConfig } from "@chakra-ui/react";
import * as chakra from "@chakra-ui/react/theme";

/** Palettes that nothing wears cost time before the first paint: their variables are worked out one by one. */
function without<T extends object>(colors: T): T {
  const unused = ["blue", "cyan", "pink", "purple", "teal", "yellow"];
  return Object.fromEntries(Object.entries(colors).filter(([name]) => !unused.includes(name))) as T;
}

const base = defineConfig({
  preflight: true,
  cssVarsPrefix: chakra.cssVarsPrefix,
  cssVarsRoot: chakra.cssVarsRoot,
  globalCss: chakra.globalCss,
  theme: {
    breakpoints: chakra.breakpoints,
    keyframes: chakra.keyframes,
    tokens: { ...chakra.tokens, colors: without(chakra.tokens.colors) },
    semanticTokens: { ...chakra.semanticTokens, colors: without(chakra.semanticTokens.colors) },
    textStyles: chakra.textStyles,
    layerStyles: chakra.layerStyles,
    animationStyles: chakra.animationStyles,
    recipes: {
      badge: chakra.badgeRecipe,
      button: chakra.buttonRecipe,
      checkmark: chakra.checkmarkRecipe,
      code: chakra.codeRecipe,
      heading: chakra.headingRecipe,
      input: chakra.inputRecipe,
      kbd: chakra.kbdRecipe,
      inputAddon: chakra.inputAddonRecipe,
      link: chakra.linkRecipe,
      spinner: chakra.spinnerRecipe,
      textarea: chakra.textareaRecipe,
    },
    slotRecipes: {
      checkbox: chakra.checkboxSlotRecipe,
      collapsible: chakra.collapsibleSlotRecipe,
      fieldset: chakra.fieldsetSlotRecipe,
      popover: chakra.popoverSlotRecipe,
      table: chakra.tableSlotRecipe,
      dialog: chakra.dialogSlotRecipe,
      drawer: chakra.drawerSlotRecipe,
      field: chakra.fieldSlotRecipe,
      menu: chakra.menuSlotRecipe,
      nativeSelect: chakra.nativeSelectSlotRecipe,
      progress: chakra.progressSlotRecipe,
    },
  },
});

const config = defineConfig({
  globalCss: {
    html: { colorPalette: "brand", scrollbarGutter: "stable" },
    "html.dark": { colorScheme: "dark" }, // the browser's own controls
    body: { bg: "bg", color: "fg", fontSize: "sm", lineHeight: "1.5", overscrollBehaviorY: "none" },
    "*": {
      scrollbarWidth: "thin",
      "@media (prefers-reduced-motion: reduce)": {
        animationDuration: "0.01ms !important",
        transitionDuration: "0.01ms !important",
      },
    },
    // One ring for everything that the keyboard reaches.
    "*:focus-visible": { outline: "2px solid", outlineColor: "brand.focusRing", outlineOffset: "2px" },
  },
  theme: {
    tokens: {
      fonts: {
        heading: { value: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" },
        body: { value: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" },
        mono: { value: "ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace" },
      },
      colors: {
        brand: {
          50: { value: "#f6f3ff" },
          100: { value: "#ece6ff" },
          200: { value: "#dacfff" },
          300: { value: "#c0adff" },
          400: { value: "#a386fb" },
          500: { value: "#8760ee" },
          600: { value: "#6d3fd9" },
          700: { value: "#5a31b8" },
          800: { value: "#432589" },
          900: { value: "#2d1a5c" },
          950: { value: "#1b1038" },
        },
        ink: {
          50: { value: "#faf9fb" },
          100: { value: "#f2f1f5" },
          200: { value: "#e4e2ea" },
          300: { value: "#cdcad6" },
          400: { value: "#a09cad" },
          500: { value: "#777285" },
          600: { value: "#5b5768" },
          700: { value: "#423e4f" },
          800: { value: "#2c2937" },
          850: { value: "#221f2c" },
          900: { value: "#191721" },
          950: { value: "#121018" },
        },
      },
    },
    semanticTokens: {
      colors: {
        bg: {
          DEFAULT: { value: { _light: "{colors.ink.50}", _dark: "{colors.ink.950}" } },
          subtle: { value: { _light: "{colors.ink.100}", _dark: "{colors.ink.900}" } },
          muted: { value: { _light: "{colors.ink.200}", _dark: "{colors.ink.850}" } },
          emphasized: { value: { _light: "{colors.ink.300}", _dark: "{colors.ink.800}" } },
          panel: { value: { _light: "white", _dark: "{colors.ink.900}" } },
        },
        fg: {
          DEFAULT: { value: { _light: "{colors.ink.900}", _dark: "{colors.ink.100}" } },
          muted: { value: { _light: "{colors.ink.600}", _dark: "{colors.ink.400}" } },
          subtle: { value: { _light: "{colors.ink.600}", _dark: "{colors.ink.400}" } },
          error: { value: { _light: "#a1161b", _dark: "#ff9a9a" } },
          warning: { value: { _light: "#8a4b00", _dark: "#ffc069" } },
          success: { value: { _light: "#12633a", _dark: "#7fdca4" } },
        },
        border: {
          DEFAULT: { value: { _light: "{colors.ink.200}", _dark: "{colors.ink.800}" } },
          muted: { value: { _light: "{colors.ink.100}", _dark: "{colors.ink.850}" } },
          emphasized: { value: { _light: "{colors.ink.400}", _dark: "{colors.ink.600}" } },
        },
        brand: {
          solid: { value: { _light: "{colors.brand.600}", _dark: "{colors.brand.600}" } },
          contrast: { value: { _light: "white", _dark: "white" } },
          fg: { value: { _light: "{colors.brand.700}", _dark: "{colors.brand.300}" } },
          muted: { value: { _light: "{colors.brand.100}", _dark: "{colors.brand.900}" } },
          subtle: { value: { _light: "{colors.brand.50}", _dark: "{colors.brand.950}" } },
          emphasized: { value: { _light: "{colors.brand.200}", _dark: "{colors.brand.800}" } },
          focusRing: { value: { _light: "{colors.brand.500}", _dark: "{colors.brand.400}" } },
        },
        red: {
          solid: { value: { _light: "#b42318", _dark: "#b42318" } },
          contrast: { value: "white" },
          fg: { value: { _light: "#a1161b", _dark: "#ff9a9a" } },
        },
        green: { fg: { value: { _light: "#12633a", _dark: "#7fdca4" } } },
        orange: { fg: { value: { _light: "#8a4b00", _dark: "#ffc069" } } },
      },
    },
  },
});

export const system = createSystem(defaultBaseConfig, base, config);
