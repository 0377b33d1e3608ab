// Light or dark, and the colours that tokens.css gives to it: canvases cannot read custom properties themselves.
import { useSyncExternalStore } from "react";

const dark = matchMedia("(prefers-color-scheme: dark)");

function subscribe(listener: () => void): () => void {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}

export function useTheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, () => (dark.matches ? "dark" : "light"));
}

/** The value of a custom property such as `--curve-1` in the theme of now. */
export function color(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
