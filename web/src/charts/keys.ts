// What a key does to a stack of charts.
import { type Window, moved, zoomed } from "../lib/range";

export type KeyAction =
  | { kind: "window"; window: Window }
  | { kind: "cursor"; time: number | null }
  | { kind: "zoomOut" };

/** Shares of the window that a key press moves the cursor or the window by. */
const CURSOR = 1 / 200;
const FAST = 1 / 20;
const PAN = 1 / 4;

/** Null where the key is not meant for the charts. */
export function keyAction(
  key: string,
  { shift, ctrl }: { shift: boolean; ctrl: boolean },
  window: Window,
  cursor: number | null,
): KeyAction | null {
  const length = window.to - window.from;
  const direction = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
  if (direction && shift) return { kind: "window", window: moved(window, direction * PAN * length) };
  if (direction) {
    const from = cursor ?? (direction < 0 ? window.to : window.from);
    return { kind: "cursor", time: within(from + direction * length * (ctrl ? FAST : CURSOR), window) };
  }
  switch (key) {
    case "+":
    case "=":
      return { kind: "window", window: zoomed(window, 1 / 2, cursor ?? undefined) };
    case "-":
    case "_":
      return { kind: "window", window: zoomed(window, 2, cursor ?? undefined) };
    case "0":
      return { kind: "zoomOut" };
    case "Home":
      return { kind: "cursor", time: window.from };
    case "End":
      return { kind: "cursor", time: window.to };
    case "Escape":
      return { kind: "cursor", time: null };
    default:
      return null;
  }
}

function within(ms: number, { from, to }: Window): number {
  return Math.min(Math.max(ms, from), to);
}
