// Statistics of a curve.
import { describe, expect, it } from "vitest";
import type { Line } from "./series";
import { lineStats } from "./stats";

const full: Line = { name: "a", unit: "°C", times: [0, 10, 20, 30], mean: [1, null, 3, 8], min: null, max: null, count: null, ends: null, stepMs: null, ghost: false };

describe("statistics of a curve", () => {
  it("pass over what is missing and what lies outside", () => {
    expect(lineStats(full, 0, 20)).toEqual({ min: 1, mean: 2, max: 3, last: 3, count: 2 });
  });

  it("weigh each step by its readings, and take the edges from its least and greatest", () => {
    const reduced = { ...full, mean: [1, 2, 4, 4], min: [0, 1, 2, 3], max: [2, 3, 9, 5], count: [1, 1, 8, 10] };
    const stats = lineStats(reduced, 0, 30)!;
    expect(stats.mean).toBeCloseTo((1 + 2 + 32 + 40) / 20);
    expect(stats).toMatchObject({ min: 0, max: 9, count: 20, last: 4 });
  });

  it("are none without a value", () => {
    expect(lineStats(full, 5, 15)).toBeNull();
    expect(lineStats({ ...full, times: [], mean: [] }, 0, 10)).toBeNull();
  });
});
