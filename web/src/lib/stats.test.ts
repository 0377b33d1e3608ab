// Statistics of a curve.
import { describe, expect, it } from "vitest";
import { holeOf } from "./fixtures";
import { holesOfLine } from "./holes";
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

  it("let a record of the log count as the polls that it stands for", () => {
    const MINUTE = 60_000;
    // Six polls of 10 s before the gap, a record a minute within, one reading behind it.
    const times = [0, 1, 2, 3, 4, 5].map((n) => n * 10_000).concat([2 * MINUTE, 3 * MINUTE, 4 * MINUTE]);
    const line = { ...full, times, mean: [...Array(6).fill(10), 40, 40, 10] };
    const holes = holesOfLine([holeOf(50_000, 4 * MINUTE, { missing: 18, filled: 18 })], line);
    expect(lineStats(line, 0, 5 * MINUTE, holes)!.mean).toBeCloseTo((7 * 10 + 2 * 6 * 40) / 19);
    expect(lineStats(line, 0, 5 * MINUTE)!.mean).toBeCloseTo((7 * 10 + 2 * 40) / 9);
  });

  it("leave the weight of a step that has readings as well as records", () => {
    const steps = { ...full, times: [0, 600_000, 1_200_000], mean: [10, 40, 10], count: [50, 10, 40], stepMs: 600_000 };
    const holes = holesOfLine([holeOf(500_000, 1_260_000, { missing: 75, filled: 75 })], steps);
    expect(holes.map(({ isFilled }) => isFilled)).toEqual([true]);
    expect(lineStats(steps, 0, 2e6, holes)!.mean).toBeCloseTo((50 * 10 + 10 * 6 * 40 + 40 * 10) / 150);
  });

  it("are none without a value", () => {
    expect(lineStats(full, 5, 15)).toBeNull();
    expect(lineStats({ ...full, times: [], mean: [] }, 0, 10)).toBeNull();
  });
});
