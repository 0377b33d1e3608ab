// Gaps, what the controller's own log fills of them, and what each line has of that.
import { describe, expect, it } from "vitest";
import { gapOf, holeOf } from "./fixtures";
import { type Hole, type Times, commonHoles, holeAt, holesOf, holesOfLine, stillMissing } from "./holes";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Polls of 30 s; nothing was read from one o'clock to three. */
const GAP = { missing: 239, reason: "logger_off", source: "log" };
const FILLED = holeOf(HOUR, 3 * HOUR, { ...GAP, filled: 239 });

function range(from: number, to: number, by: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by);
}

/** Readings every 30 s, and a record a minute within a time. */
function timesWith(from: number, to: number): number[] {
  return [...range(0, HOUR + 1, 30 * SECOND), ...range(from + 20 * SECOND, to, MINUTE), ...range(3 * HOUR, 4 * HOUR, 30 * SECOND)];
}

const line = (times: number[], more: Partial<Times> = {}): Times => ({ times, ends: null, stepMs: null, ...more });
const told = (holes: Hole[]) => holes.map(({ from, to, isFilled }) => [from / MINUTE, to / MINUTE, isFilled]);
const steps = (times: number[], stepMs: number) => line([...new Set(times.map((ms) => ms - (ms % stepMs)))], { stepMs });

describe("gaps", () => {
  it("are whole where nothing was filled, in order", () => {
    const [a, b] = holesOf([gapOf(5 * HOUR, 6 * HOUR), gapOf(HOUR, 2 * HOUR)], { from: 1.5 * HOUR, to: 9 * HOUR });
    expect([a, b].map(({ from, to }) => [from, to])).toEqual([[HOUR, 2 * HOUR], [5 * HOUR, 6 * HOUR]]);
    expect(holesOfLine([a], line([]))).toEqual([a]);
  });

  it("that were filled are known within the window alone, and keep their whole length and the distance of polls", () => {
    const [hole] = holesOf([gapOf(HOUR, 3 * HOUR, { ...GAP, filled: 239 })], { from: 2 * HOUR, to: 9 * HOUR });
    expect(hole).toMatchObject({ from: 2 * HOUR, to: 3 * HOUR, whole: { from: HOUR, to: 3 * HOUR }, pollMs: 30 * SECOND });
    expect(holesOf([gapOf(HOUR, 3 * HOUR, { filled: 1 })], { from: 4 * HOUR, to: 9 * HOUR })).toEqual([]);
  });

  it("are found at a moment, and near it, the one around it first", () => {
    const holes = [holeOf(5000, 9000, { reason: "disk" }), holeOf(9500, 12_000, { reason: "clock" })];
    expect(holeAt(holes, 6000)?.reason).toBe("disk");
    expect(holeAt(holes, 4500)).toBeNull();
    expect(holeAt(holes, 4500, 600)?.reason).toBe("disk");
    expect(holeAt(holes, 9600, 1000)?.reason).toBe("clock");
  });

  it("tell how much is missing still: what the log left, or all of a sensor that it does not have", () => {
    expect(stillMissing(holeOf(0, HOUR, { missing: 100 }))).toBe(100);
    expect(stillMissing(holeOf(0, HOUR, { missing: 100, filled: 60 }))).toBe(40);
    expect(stillMissing(holeOf(0, HOUR, { missing: 100, filled: 100 }))).toBe(100);
  });
});

describe("a line in a gap", () => {
  it("that has every record is filled from end to end", () => {
    expect(told(holesOfLine([FILLED], line(timesWith(HOUR, 3 * HOUR))))).toEqual([[60, 180, true]]);
  });

  it("whose records begin late or end early stays a gap there", () => {
    const half = holeOf(HOUR, 3 * HOUR, { ...GAP, filled: 119 });
    const late = holesOfLine([half], line(timesWith(2 * HOUR, 3 * HOUR)));
    expect(told(late).map(([from, to, isFilled]) => [Math.round(+from), Math.round(+to), isFilled])).toEqual([[60, 119, false], [119, 180, true]]);
    const early = holesOfLine([half], line(timesWith(HOUR, 2 * HOUR)));
    expect(told(early).map(([, , isFilled]) => isFilled)).toEqual([true, false]);
    expect(early[1].to).toBe(3 * HOUR);
  });

  it("stays a gap where records are missing in the middle, and not where one is", () => {
    const rest = range(2 * HOUR + 20 * SECOND, 3 * HOUR, MINUTE);
    const all = [...range(0, HOUR + 1, 30 * SECOND), ...range(HOUR + 20 * SECOND, 2 * HOUR, MINUTE)];
    const lacking = (n: number) => line([...all, ...rest.slice(n), ...range(3 * HOUR, 4 * HOUR, 30 * SECOND)]);
    expect(told(holesOfLine([FILLED], lacking(1)))).toEqual([[60, 180, true]]);
    expect(told(holesOfLine([FILLED], lacking(10))).map(([, , isFilled]) => isFilled)).toEqual([true, false, true]);
  });

  it("that the log does not have stays a gap", () => {
    expect(told(holesOfLine([FILLED], line(timesWith(0, 0))))).toEqual([[60, 180, false]]);
  });

  it("is filled alike in steps of any length, or for some pixels unknown", () => {
    const times = timesWith(HOUR, 3 * HOUR);
    for (const stepMs of [2, 10, 30, 60, 120, 600, 900, 3600].map((s) => s * SECOND)) {
      expect(told(holesOfLine([FILLED], steps(times, stepMs)))).toEqual([[60, 180, true]]);
      expect(told(holesOfLine([FILLED], steps(timesWith(0, 0), stepMs)))).toEqual([[60, 180, false]]);
    }
  });

  it("in steps longer than the gap is filled if all of it is, and never a counter, which no log has", () => {
    const days = line([0, 24 * HOUR], { stepMs: 24 * HOUR });
    expect(told(holesOfLine([FILLED], days))).toEqual([[60, 180, true]]);
    expect(told(holesOfLine([FILLED], days, true))).toEqual([[60, 180, false]]);
    expect(told(holesOfLine([{ ...FILLED, filled: 100 }], days))).toEqual([[60, 180, false]]);
  });

  it("of runs is filled where they reach", () => {
    const through = line([0, 2 * HOUR], { ends: [2 * HOUR, 4 * HOUR] });
    expect(told(holesOfLine([FILLED], through))).toEqual([[60, 180, true]]);
    const around = line([0, 3 * HOUR], { ends: [HOUR + 30 * SECOND, 4 * HOUR] });
    expect(told(holesOfLine([FILLED], around))).toEqual([[60, 180, false]]);
    const half = line([0, 3 * HOUR], { ends: [2 * HOUR, 4 * HOUR] });
    expect(told(holesOfLine([FILLED], half))).toEqual([[60, 120, true], [120, 180, false]]);
    const [cut] = holesOf([gapOf(HOUR, 3 * HOUR, { ...GAP, filled: 239 })], { from: 2 * HOUR, to: 9 * HOUR });
    expect(told(holesOfLine([cut], line([2 * HOUR + 59 * SECOND], { ends: [4 * HOUR] })))).toEqual([[120, 180, true]]);
  });

  it("is filled where the window begins and ends within the gap", () => {
    const window = { from: 1.5 * HOUR, to: 2.5 * HOUR };
    const [hole] = holesOf([gapOf(HOUR, 3 * HOUR, { ...GAP, filled: 239 })], window);
    const inside = range(1.5 * HOUR + 50 * SECOND, 2.5 * HOUR, MINUTE);
    expect(told(holesOfLine([hole], line(inside)))).toEqual([[90, 150, true]]);
    expect(told(holesOfLine([hole], steps(inside, 30 * SECOND)))).toEqual([[90, 150, true]]);
  });
});

describe("several lines", () => {
  it("are filled where one of them is", () => {
    const [counter, flow] = [timesWith(0, 0), timesWith(HOUR, 2 * HOUR)].map((times) => holesOfLine([FILLED], line(times)));
    expect(commonHoles([FILLED], [counter, flow])).toEqual(flow);
    expect(commonHoles([FILLED], [counter])).toEqual(counter);
    expect(commonHoles([FILLED], [])).toEqual([FILLED]);
  });
});
