// Biome formats and lints; ESLint is here for the rules of hooks alone.
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default [
  { ignores: ["src/api/types.ts"] },
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { parser: tseslint.parser },
    plugins: { "react-hooks": hooks },
    rules: hooks.configs.recommended.rules,
  },
];
