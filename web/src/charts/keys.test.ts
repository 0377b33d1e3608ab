// What keys do to the charts.
import { describe, expect, it } from "vitest";
import { keyAction } from "./keys";

const window = { from: 0, to: 200_000 };
const none = { shift: false, ctrl: false };
const shift = { shift: true, ctrl: false };

describe("keys", () => {
  it("move the cursor from where it is, or in from the edge, and stop at the ends", () => {
    expect(keyAction("ArrowRight", none, window, 50_000)).toEqual({ kind: "cursor", time: 51_000 });
    expect(keyAction("ArrowLeft", none, window, null)).toEqual({ kind: "cursor", time: 199_000 });
    expect(keyAction("ArrowLeft", none, window, 0)).toEqual({ kind: "cursor", time: 0 });
    expect(keyAction("ArrowRight", { shift: false, ctrl: true }, window, 0)).toEqual({ kind: "cursor", time: 10_000 });
    expect(keyAction("Home", none, window, 7)).toEqual({ kind: "cursor", time: 0 });
    expect(keyAction("End", none, window, 7)).toEqual({ kind: "cursor", time: 200_000 });
    expect(keyAction("Escape", none, window, 7)).toEqual({ kind: "cursor", time: null });
  });

  it("pan with shift and zoom with plus and minus", () => {
    expect(keyAction("ArrowRight", shift, window, 7)).toEqual({ kind: "window", window: { from: 50_000, to: 250_000 } });
    expect(keyAction("+", none, window, null)).toEqual({ kind: "window", window: { from: 50_000, to: 150_000 } });
    expect(keyAction("-", none, window, 0)).toEqual({ kind: "window", window: { from: 0, to: 400_000 } });
    expect(keyAction("0", none, window, null)).toEqual({ kind: "zoomOut" });
  });

  it("leave all others to the browser", () => {
    for (const key of ["Tab", "ArrowUp", "a", "Enter"]) expect(keyAction(key, none, window, null)).toBeNull();
  });
});
