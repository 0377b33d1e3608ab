// Bands of states and what is counted of them.
import { describe, expect, it } from "vitest";
import { holeOf } from "./fixtures";
import { dominant, isPure, portion, segmentAt, segmentsOf, stateShares, switchStats, tellsRuns } from "./segments";
import type { Line } from "./series";

const isOn = (value: number) => value !== 0;

function line(mean: (number | null)[], more: Partial<Line> = {}): Line {
  const times = mean.map((_, i) => i * 10_000);
  return { name: "s", unit: "", times, mean, min: null, max: null, count: null, ends: null, stepMs: null, ghost: false, ...more };
}

describe("segments", () => {
  it("join equal neighbours and last until the next value", () => {
    expect(segmentsOf(line([0, 1, 1, 0]), [], 10_000)).toEqual([
      { from: 0, to: 10_000, low: 0, high: 0, share: 1 },
      { from: 10_000, to: 30_000, low: 1, high: 1, share: 1 },
      { from: 30_000, to: 40_000, low: 0, high: 0, share: 1 },
    ]);
  });

  it("end at a gap", () => {
    const holes = [holeOf(10_000, 60_000, { missing: 4 })];
    const gapped = line([1, 1, 1], { times: [0, 10_000, 60_000] });
    expect(segmentsOf(gapped, holes, 10_000).map(({ from, to }) => [from, to])).toEqual([
      [0, 20_000],
      [60_000, 70_000],
    ]);
  });

  it("show how much of a step a switch was on", () => {
    const reduced = line([0, 0.25, 1], { min: [0, 0, 1], max: [0, 1, 1], count: [4, 4, 4], stepMs: 10_000 });
    const segments = segmentsOf(reduced, [], 5000);
    expect(segments.map((segment) => portion(segment, isOn))).toEqual([0, 0.25, 1]);
    expect(segments.map(isPure)).toEqual([true, false, true]);
    expect(segments.map(dominant)).toEqual([0, 0, 1]);
  });

  it("are the runs that the answer tells, gaps between them", () => {
    const runs = line([0, 1, 0], { times: [0, 10_000, 90_000], ends: [10_000, 40_000, 95_000] });
    expect(segmentsOf(runs, [], 10_000).map(({ from, to, low }) => [from, to, low])).toEqual([
      [0, 10_000, 0],
      [10_000, 40_000, 1],
      [90_000, 95_000, 0],
    ]);
    expect(switchStats(segmentsOf(runs, [], 10_000), 0, 95_000, isOn)).toMatchObject({ starts: 1, longest: 30_000, exact: true });
  });

  it("leave out what is not known", () => {
    expect(segmentsOf(line([1, null, 1]), [], 10_000)).toHaveLength(2);
    expect(segmentsOf(line([]), [], 10_000)).toEqual([]);
  });

  it("are found by a moment", () => {
    const segments = segmentsOf(line([0, 1]), [], 10_000);
    expect(segmentAt(segments, 10_000)?.low).toBe(1);
    expect(segmentAt(segments, 20_000)).toBeNull();
  });
});

describe("statistics of a switch", () => {
  it("count starts, share and longest run", () => {
    const segments = segmentsOf(line([0, 1, 1, 0, 1, 0, 0, 0]), [], 10_000);
    expect(switchStats(segments, 0, 80_000, isOn)).toEqual({ starts: 2, share: 3 / 8, longest: 20_000, exact: true });
  });

  it("count no start where it ran when the window began, nor after a gap", () => {
    const segments = segmentsOf(line([1, 1, 0, 1]), [], 10_000);
    expect(switchStats(segments, 0, 40_000, isOn)?.starts).toBe(1);
    const holes = [holeOf(0, 50_000, { missing: 4 })];
    const gapped = segmentsOf(line([0, 1], { times: [0, 50_000] }), holes, 10_000);
    expect(switchStats(gapped, 0, 60_000, isOn)).toMatchObject({ starts: 0, share: 0.5, longest: 10_000 });
  });

  it("take the part that lies in the window", () => {
    const segments = segmentsOf(line([1, 1, 1, 1]), [], 10_000);
    expect(switchStats(segments, 15_000, 30_000, isOn)).toMatchObject({ share: 1, longest: 15_000 });
    expect(switchStats(segments, 90_000, 95_000, isOn)).toBeNull();
  });

  it("weigh steps and say that they are not exact", () => {
    const reduced = line([0, 0.5, 1], { min: [0, 0, 1], max: [0, 1, 1], count: [4, 4, 4], stepMs: 10_000 });
    const stats = switchStats(segmentsOf(reduced, [], 5000), 0, 30_000, isOn);
    expect(stats?.share).toBeCloseTo(0.5);
    expect(stats).toMatchObject({ exact: false, starts: 1 });
  });

  it("tell no starts where steps hide whole runs", () => {
    const stats = { starts: 0, share: 0.5, longest: 0, exact: false };
    expect(tellsRuns(stats, 12 * 3_600_000)).toBe(false);
    expect(tellsRuns(stats, 120_000)).toBe(true);
    expect(tellsRuns({ ...stats, exact: true }, 12 * 3_600_000)).toBe(true);
  });

  it("agree with a count reading by reading", () => {
    for (let seed = 1; seed < 60; seed++) {
      const values = Array.from({ length: 50 }, (_, i) => ((i * seed * 31 + seed) % 7 < 3 ? 1 : 0));
      const stats = switchStats(segmentsOf(line(values), [], 10_000), 0, 500_000, isOn)!;
      expect(stats.starts).toBe(values.filter((value, i) => i && value && !values[i - 1]).length);
      expect(stats.share).toBeCloseTo(values.filter(Boolean).length / 50);
    }
  });
});

describe("shares of states", () => {
  it("split a step of two states, and count no third", () => {
    const reduced = line([0, 4, 5], { min: [0, 0, 5], max: [0, 5, 5], count: [5, 5, 5], stepMs: 10_000 });
    const segments = segmentsOf(reduced, [], 2000);
    const shares = new Map(stateShares(segments, 0, 30_000).map(({ value, share }) => [value, share]));
    expect(shares.get(5)).toBeCloseTo(1.8 / 3);
    expect(shares.get(0)).toBeCloseTo(1.2 / 3);
    expect(switchStats(segments, 0, 30_000, (value) => value === 1)).toMatchObject({ starts: 0, share: 0, exact: true });
    expect(switchStats(segments, 0, 30_000, (value) => value === 5)).toMatchObject({ starts: 1, longest: 20_000, exact: false });
  });

  it("sum up to one, the longest first", () => {
    const shares = stateShares(segmentsOf(line([5, 5, 0, 1, 5]), [], 10_000), 0, 50_000);
    expect(shares[0]).toEqual({ value: 5, share: 0.6 });
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });
});
