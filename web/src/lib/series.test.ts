// Series as uPlot wants them: one axis, gaps as gaps, reduced data with its band.
import { describe, expect, it } from "vitest";
import type { SeriesAnswer } from "../api/types";
import { movedLines } from "./compare";
import { gapOf, holeOf } from "./fixtures";
import { holesOf, holesOfLine } from "./holes";
import { breaksOf, columnsOf, isReduced, linesOf, nearest, placeAt, union, usualDistance } from "./series";

const NONE = { own: [], ghost: [] };
const iso = (ms: number) => new Date(ms).toISOString();

function answer(more: Partial<SeriesAnswer>): SeriesAnswer {
  return {
    from: iso(0),
    to: iso(1e6),
    zone: "UTC",
    interval_s: 10,
    step_ms: null,
    times: [],
    series: [],
    gaps: [],
    steps: [],
    not_fitted: [],
    ...more,
  };
}

describe("columns for uPlot", () => {
  it("share one axis where the series share their times", () => {
    const lines = linesOf(
      answer({
        times: [[0, 10_000, 20_000]],
        series: [
          { name: "a", unit: "°C", t: 0, values: [1, 2, 3] },
          { name: "b", unit: "°C", t: 0, values: [4, null, 6] },
        ],
      }),
    );
    const { times, columns } = columnsOf(lines, NONE, 10_000);
    expect(times).toEqual([0, 10_000, 20_000]);
    expect(columns.map(({ cells }) => cells)).toEqual([
      [1, 2, 3],
      [4, null, 6],
    ]);
  });

  it("are joined where the times differ, without a gap where a series has no such moment", () => {
    const lines = linesOf(
      answer({
        times: [
          [0, 20_000, 40_000],
          [0, 10_000, 20_000],
        ],
        series: [
          { name: "a", unit: "°C", t: 0, values: [1, 2, 3] },
          { name: "b", unit: "°C", t: 1, values: [4, 5, 6] },
        ],
      }),
    );
    const { times, columns } = columnsOf(lines, NONE, 10_000);
    expect(times).toEqual([0, 10_000, 20_000, 40_000]);
    expect(columns[0].cells).toEqual([1, undefined, 2, 3]);
    expect(columns[1].cells).toEqual([4, 5, 6, undefined]);
  });

  it("have a null in a known gap", () => {
    const gaps = [gapOf(10_000, 40_000, { missing: 2 })];
    const lines = linesOf(answer({ times: [[0, 10_000, 40_000]], series: [{ name: "a", unit: "", t: 0, values: [1, 2, 3] }], gaps }));
    const { times, columns } = columnsOf(lines, { own: holesOf(gaps), ghost: [] }, 10_000);
    expect(times).toEqual([0, 10_000, 10_001, 40_000]);
    expect(columns[0].cells).toEqual([1, 2, null, 3]);
  });

  it("are null all through a gap, also at the moments of other series", () => {
    const times = [[0, 10_000, 60_000], [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]];
    const series = times.map((table, t) => ({ name: `s${t}`, unit: "", t, values: table.map(() => 1) }));
    const { columns } = columnsOf(linesOf(answer({ times, series })), NONE, 10_000);
    expect(columns[0].cells).toEqual([1, 1, null, null, null, null, null, 1]);
    expect(columns[1].cells).toEqual([1, 1, undefined, 1, 1, 1, 1, 1]);
  });

  it("put the edges of the band before the mean of reduced data", () => {
    const lines = linesOf(
      answer({
        step_ms: 60_000,
        times: [[0, 60_000]],
        series: [{ name: "a", unit: "°C", t: 0, min: [1, 2], mean: [2, 3], max: [3, 4], count: [6, 6] }],
      }),
    );
    const { columns } = columnsOf(lines, NONE, 10_000);
    expect(columns.map(({ part, cells }) => [part, cells])).toEqual([
      ["max", [3, 4]],
      ["min", [1, 2]],
      ["mean", [2, 3]],
    ]);
  });

  it("lay another day over without its band", () => {
    const told = answer({
      step_ms: 60_000,
      times: [[0, 60_000]],
      series: [{ name: "a", unit: "°C", t: 0, min: [1, 2], mean: [2, 3], max: [3, 4], count: [6, 6] }],
    });
    const [ghost] = movedLines(linesOf(told), [{ from: 0, to: 1e6, shift: 86_400_000 }]);
    const { times, columns } = columnsOf([...linesOf(told), ghost], NONE, 10_000);
    expect(ghost.times).toEqual([86_400_000, 86_460_000]);
    expect(times).toEqual([0, 60_000, 86_400_000, 86_460_000]);
    expect(columns.at(-1)).toMatchObject({ part: "mean", cells: [undefined, undefined, 2, 3] });
  });

  it("lose no value, whatever the times", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const pick = (n: number, i: number) => (n * 7919 + i * 104_729 * seed) % 97;
      const tables = [0, 1, 2].map((n) => Array.from({ length: 30 }, (_, i) => i * 10_000 + pick(n, i) * 50).sort((a, b) => a - b));
      const distinct = tables.map((table) => [...new Set(table)]);
      const series = distinct.map((table, t) => ({ name: `s${t}`, unit: "", t, values: table.map((ms) => ms / 1000) }));
      const { times, columns } = columnsOf(linesOf(answer({ times: distinct, series })), NONE, 10_000);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      columns.forEach(({ cells }, t) => {
        const kept = times.flatMap((ms, i) => (typeof cells[i] === "number" ? [[ms, cells[i]]] : []));
        expect(kept).toEqual(distinct[t].map((ms) => [ms, ms / 1000]));
      });
    }
  });
});

describe("reduced", () => {
  it("is what has steps of several readings", () => {
    const told = (count?: number[]) => answer({ step_ms: 2000, series: [{ name: "a", unit: "", t: 0, mean: [1, 2], count }] });
    expect([told([1, 1]), told([1, 2]), told()].map(isReduced)).toEqual([false, true, false]);
  });
});

describe("breaks", () => {
  it("ignore a gap that one step hides", () => {
    const holes = [holeOf(60_000, 70_000)];
    expect(breaksOf([0, 60_000, 120_000], holes, 60_000)).toEqual([false, false, false]);
  });

  it("stand where much time is missing, also without a reason", () => {
    expect(breaksOf([0, 10_000, 60_000], [], 10_000)).toEqual([false, true, false]);
  });

  it("do not tear a history of longer intervals", () => {
    const times = [0, 60_000, 120_000, 180_000];
    expect(breaksOf(times, [], usualDistance(times, null, 5000))).not.toContain(true);
  });

  it("do not tear readings that lie further apart than short steps", () => {
    const times = [0, 30_000, 60_000, 90_000, 300_000];
    for (const interval of [30_000, 10_000]) {
      expect(breaksOf(times, [], usualDistance(times, 2000, interval))).toEqual([false, false, false, true, false]);
    }
    expect(usualDistance([0, 30_000], 2000, 30_000)).toBe(30_000);
  });

  it("do not tear what the log fills, a record a minute between readings every few seconds", () => {
    const records = [1, 2, 3, 4].map((n) => n * 60_000);
    const times = [0, 5000, 10_000, ...records, 300_000, 305_000];
    const [hole] = holesOf([gapOf(10_000, 300_000, { missing: 57, filled: 57 })]);
    const filled = holesOfLine([hole], { times, ends: null, stepMs: null });
    expect(usualDistance(times, null, 5000, filled)).toBe(5000);
    expect(breaksOf(times, filled, 5000)).not.toContain(true);
    expect(breaksOf(times, [hole], 5000).filter(Boolean)).toHaveLength(5);
  });

  it("find the part of a gap that the log leaves", () => {
    const times = [0, 5000, 60_000, 120_000, 600_000, 605_000];
    const filled = holesOfLine([holeOf(5000, 600_000, { missing: 118, filled: 36 })], { times, ends: null, stepMs: null });
    expect(breaksOf(times, filled, 5000)).toEqual([false, false, false, true, false, false]);
  });

  it("find each of several gaps", () => {
    const holes = [10, 30].map((s) => holeOf(s * 1000, s * 1000 + 20_000));
    expect(breaksOf([0, 10_000, 30_000, 50_000, 60_000], holes, 10_000)).toEqual([false, true, true, false, false]);
  });
});

describe("looking up", () => {
  it("finds the nearest moment as a slow search does", () => {
    const times = [0, 7, 8, 30, 31, 90];
    for (let ms = -5; ms < 100; ms++) {
      const best = Math.min(...times.map((each) => Math.abs(each - ms)));
      expect(Math.abs(times[nearest(times, ms)] - ms)).toBe(best);
    }
    expect(nearest([], 5)).toBe(-1);
  });

  it("gives no value where none is near", () => {
    const [line] = linesOf(answer({ times: [[0, 100_000]], series: [{ name: "a", unit: "", t: 0, values: [1, 2] }] }));
    expect(placeAt(line, 50_000, 15_000)).toBe(-1);
    expect(placeAt(line, 99_000, 15_000)).toBe(1);
  });

  it("puts moments of several lists in order, each once", () => {
    expect(union([[3, 5], [1, 5, 9], []])).toEqual([1, 3, 5, 9]);
  });
});
