// How the page is built: hashed files under /assets/, nothing inline, so that a strict Content-Security-Policy holds.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: "automatic" } },
  server: { proxy: { "/api": "http://127.0.0.1:8123", "/files": "http://127.0.0.1:8123" } },
});
