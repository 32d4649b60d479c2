import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";

// Where `npm run dev` sends what belongs to the server.
const server = process.env.CAULDRON_URL ?? "http://127.0.0.1:8000";
const proxied = [
  "/api",
  "/v1",
  "/sdapi",
  "/docs",
  "/openapi.yaml",
  "/openapi.json",
  "/healthz",
  "/readyz",
  "/metrics",
  "/version",
];

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src/pwa",
      filename: "sw.ts",
      injectRegister: false,
      manifest: {
        name: "Shadow Cauldron",
        short_name: "Cauldron",
        description: "Draw images from prompts, run experiments, compare what they show.",
        start_url: "/",
        display: "standalone",
        background_color: "#17141f",
        theme_color: "#17141f",
        icons: [
          { src: "/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
          { src: "/icon.svg", sizes: "any", type: "image/svg+xml" },
        ],
        shortcuts: [
          { name: "New experiment", url: "/experiments/new" },
          { name: "Gallery", url: "/gallery" },
        ],
      },
      injectManifest: { globPatterns: ["**/*.{js,css,html,svg,png,woff2}"] },
    }),
  ],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: { target: "es2023", sourcemap: false, chunkSizeWarningLimit: 900 },
  server: {
    port: 5173,
    proxy: {
      ...Object.fromEntries(proxied.map((path) => [path, server])),
      "/socket.io": { target: server, ws: true },
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    // A busy machine is no failure.
    testTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,tsx}"],
      exclude: ["src/api/types.ts", "src/**/*.test.{ts,tsx}", "src/test/**", "src/main.tsx", "src/pwa/sw.ts"],
      reporter: ["json-summary"],
      thresholds: { lines: 80 },
    },
  },
});
