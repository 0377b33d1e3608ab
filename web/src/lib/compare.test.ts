// Another day laid over the window, each moment at its time on the wall, above all in the nights that change the clock.
import { describe, expect, it } from "vitest";
import { comparedWindow, movedHoles, movedLines, placed, stretchesOf } from "./compare";
import { holeOf } from "./fixtures";
import { holesOfLine } from "./holes";
import type { Window } from "./range";
import type { Line } from "./series";
import { DAY, HOUR, MINUTE, dayOf, wallAt } from "./zone";

const BERLIN = "Europe/Berlin";
const QUARTER = 15 * MINUTE;
const utc = (text: string) => Date.parse(`${text}Z`);
const iso = (ms: number) => new Date(ms).toISOString().slice(5, 16);
const span = (from: string, to: string): Window => ({ from: utc(from), to: utc(to) });

/** For each quarter hour of the other day's part that is asked for: where it stands in the window. */
function quarters(window: Window, day: string, zone: string): { other: number; own: number | null }[] {
  const stretches = stretchesOf(window, day, zone)!;
  const asked = comparedWindow(window, stretches);
  const found: { other: number; own: number | null }[] = [];
  for (let ms = asked?.from ?? 0; asked && ms < asked.to; ms += QUARTER) {
    const [at] = placed(ms, ms + 1, stretches);
    found.push({ other: ms, own: at ? at.from : null });
  }
  return found;
}

/** The quarter hours of the other day that have no place in the window. */
const leftOut = (window: Window, day: string, zone: string) =>
  quarters(window, day, zone).flatMap(({ other, own }) => (own === null ? [iso(other)] : []));

/** The quarter hours of the window that nothing stands beside. */
function blank(window: Window, day: string, zone: string): string[] {
  const taken = new Set(quarters(window, day, zone).map(({ own }) => own));
  const found: string[] = [];
  for (let ms = window.from; ms < window.to; ms += QUARTER) if (!taken.has(ms)) found.push(iso(ms));
  return found;
}

const hour = (begin: string) => [0, 1, 2, 3].map((n) => iso(utc(`2026-${begin}`) + n * QUARTER));

/** Days with a change, in one of the zones, and others. */
const PAIRS = [
  ["2026-10-25", "2026-10-18"],
  ["2026-10-18", "2026-10-25"],
  ["2026-11-01", "2026-03-08"],
  ["2026-03-29", "2026-04-05"],
];

describe("comparing", () => {
  it("asks for the same times of the other day", () => {
    const window = span("2026-11-25T06:15:00", "2026-11-26T08:00:00");
    const stretches = stretchesOf(window, "2026-11-20", BERLIN)!;
    expect(comparedWindow(window, stretches)).toEqual(span("2026-11-20T06:15:00", "2026-11-21T08:00:00"));
  });

  it("refuses what is no day", () => {
    expect(stretchesOf({ from: 0, to: DAY }, "2026-02-31", BERLIN)).toBeNull();
  });

  it("puts every moment to the same time on the wall, in order and none twice, whatever the days and the zone", () => {
    for (const zone of [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]) {
      for (const [own, other] of PAIRS) {
        const start = dayOf(own, zone)!;
        for (const window of [{ from: start, to: start + 30 * HOUR }, { from: start - 5 * DAY, to: start + 9 * DAY }]) {
          const days = Math.round((window.from - start) / DAY);
          const first = new Date(Date.parse(other) + days * DAY).toISOString().slice(0, 10);
          const shown = quarters(window, first, zone).filter(({ own: at }) => at !== null);
          expect(shown.length).toBeGreaterThan(20 * 4);
          for (const { other: from, own: to } of shown) {
            const { hour, minute } = wallAt(from, zone);
            expect(wallAt(to!, zone)).toMatchObject({ hour, minute });
          }
          const places = shown.map(({ own: at }) => at!);
          expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        }
      }
    }
  });
});

describe("the night of October, in which the hour from two to three comes twice", () => {
  const usual = span("2026-10-17T22:00:00", "2026-10-18T22:00:00");
  const long = span("2026-10-24T22:00:00", "2026-10-25T23:00:00");

  it("leaves the second one out where the other day has it", () => {
    expect(comparedWindow(usual, stretchesOf(usual, "2026-10-25", BERLIN)!)).toEqual(long);
    expect(leftOut(usual, "2026-10-25", BERLIN)).toEqual(hour("10-25T01:00:00"));
    expect(blank(usual, "2026-10-25", BERLIN)).toEqual([]);
  });

  it("leaves the second one blank where the window has it", () => {
    expect(comparedWindow(long, stretchesOf(long, "2026-10-18", BERLIN)!)).toEqual(usual);
    expect(blank(long, "2026-10-18", BERLIN)).toEqual(hour("10-25T01:00:00"));
    expect(leftOut(long, "2026-10-18", BERLIN)).toEqual([]);
  });

  it("is right in windows before, within and behind the change", () => {
    const places = (from: string, to: string) => {
      const window = span(`2026-10-25T${from}:00`, `2026-10-25T${to}:00`);
      return quarters(window, "2026-10-18", BERLIN).map(({ other, own }) => [iso(other), own && iso(own)]);
    };
    expect(places("00:00", "00:30")).toEqual([["10-18T00:00", "10-25T00:00"], ["10-18T00:15", "10-25T00:15"]]);
    expect(places("00:45", "02:15")).toEqual([["10-18T00:45", "10-25T00:45"], ["10-18T01:00", "10-25T02:00"]]);
    expect(places("02:00", "02:30")).toEqual([["10-18T01:00", "10-25T02:00"], ["10-18T01:15", "10-25T02:15"]]);
    expect(places("01:00", "02:00")).toEqual([]);
  });
});

describe("the night of March, which leaps from two to three", () => {
  const usual = span("2026-03-21T23:00:00", "2026-03-22T23:00:00");
  const short = span("2026-03-28T23:00:00", "2026-03-29T22:00:00");

  it("leaves that hour blank where the other day leaps", () => {
    expect(comparedWindow(usual, stretchesOf(usual, "2026-03-29", BERLIN)!)).toEqual(short);
    expect(blank(usual, "2026-03-29", BERLIN)).toEqual(hour("03-22T01:00:00"));
    expect(leftOut(usual, "2026-03-29", BERLIN)).toEqual([]);
  });

  it("leaves that hour out where the window leaps", () => {
    expect(comparedWindow(short, stretchesOf(short, "2026-03-22", BERLIN)!)).toEqual(usual);
    expect(leftOut(short, "2026-03-22", BERLIN)).toEqual(hour("03-22T01:00:00"));
    expect(blank(short, "2026-03-22", BERLIN)).toEqual([]);
  });

  it("is right in windows before and behind the change", () => {
    const before = span("2026-03-29T00:00:00", "2026-03-29T01:00:00");
    expect(comparedWindow(before, stretchesOf(before, "2026-03-22", BERLIN)!)).toEqual(span("2026-03-22T00:00:00", "2026-03-22T01:00:00"));
    const behind = span("2026-03-29T01:00:00", "2026-03-29T03:00:00");
    expect(comparedWindow(behind, stretchesOf(behind, "2026-03-22", BERLIN)!)).toEqual(span("2026-03-22T02:00:00", "2026-03-22T04:00:00"));
  });
});

describe("other zones", () => {
  it("change elsewhere: New York in November, Lord Howe by half an hour", () => {
    const york = span("2026-11-01T04:00:00", "2026-11-02T05:00:00");
    expect(blank(york, "2026-10-25", "America/New_York")).toEqual(hour("11-01T06:00:00"));
    const howe = span("2026-04-04T13:00:00", "2026-04-05T13:30:00");
    expect(blank(howe, "2026-03-29", "Australia/Lord_Howe")).toEqual(["04-04T15:00", "04-04T15:15"]);
  });
});

describe("what is laid over", () => {
  const window = span("2026-10-17T22:00:00", "2026-10-18T22:00:00");
  const stretches = stretchesOf(window, "2026-10-25", BERLIN)!;
  const line = (more: Partial<Line>): Line => ({
    ...{ name: "a", unit: "", times: [], mean: [], min: null, max: null },
    ...{ count: null, ends: null, stepMs: null, ghost: false, ...more },
  });
  const times = ["00:59", "01:00", "01:59", "02:00"].map((text) => utc(`2026-10-25T${text}:00`));

  it("has values at their places, and lines of equal times share them still", () => {
    const [a, b] = movedLines([line({ times, mean: [1, 2, 3, 4] }), line({ times, mean: [5, 6, null, 8] })], stretches);
    expect(a.times.map(iso)).toEqual(["10-18T00:59", "10-18T01:00"]);
    expect([a.mean, b.mean]).toEqual([[1, 4], [5, 8]]);
    expect(b.times).toBe(a.times);
    expect(a.ghost).toBe(true);
  });

  it("keeps a step that begins in an hour without a place and ends behind it", () => {
    const steps = [utc("2026-10-24T21:00:00"), utc("2026-10-25T01:00:00"), utc("2026-10-25T05:00:00")];
    const counted = line({ times: steps, mean: [1, 2, 3], min: [0, 1, 2], max: [2, 3, 4], count: [9, 9, 9], stepMs: 4 * HOUR });
    const [moved] = movedLines([counted], stretches);
    expect(moved.times.map(iso)).toEqual(["10-17T21:00", "10-18T01:00", "10-18T04:00"]);
    expect([moved.min, moved.max, moved.count]).toEqual([[0, 1, 2], [2, 3, 4], [9, 9, 9]]);
  });

  it("has runs without the hour that has no place", () => {
    const edges = ["00:30", "01:10", "01:40", "03:00"].map((text) => utc(`2026-10-25T${text}:00`));
    const [moved] = movedLines([line({ times: edges.slice(0, 3), mean: [1, 0, 1], ends: edges.slice(1) })], stretches);
    expect(moved.times.map(iso)).toEqual(["10-18T00:30", "10-18T01:00"]);
    expect(moved.ends!.map(iso)).toEqual(["10-18T01:00", "10-18T02:00"]);
    expect(moved.mean).toEqual([1, 1]);
  });

  it("has its gaps moved as well", () => {
    const gap = holeOf(utc("2026-10-25T01:30:00"), utc("2026-10-25T02:30:00"), { missing: 9, reason: "disk" });
    const place = { ...span("2026-10-18T01:00:00", "2026-10-18T01:30:00"), whole: span("2026-10-18T00:30:00", "2026-10-18T01:30:00") };
    expect(movedHoles([gap], stretches)).toEqual([{ ...gap, ...place }]);
  });

  it("has what was filled of its gaps, of curves and of runs", () => {
    const [from, to] = [utc("2026-10-25T05:00:00"), utc("2026-10-25T05:05:00")];
    const gaps = movedHoles([holeOf(from, to, { missing: 9, filled: 9 })], stretches);
    const records = line({ times: [0, 1, 2, 3, 4, 5].map((n) => from + n * MINUTE), mean: [1, 1, 1, 1, 1, 1] });
    const run = line({ times: [from - HOUR], mean: [1], ends: [to + HOUR] });
    for (const moved of movedLines([records, run], stretches)) {
      const found = holesOfLine(gaps, moved).map((each) => [iso(each.from), iso(each.to), each.isFilled]);
      expect(found).toEqual([["10-18T04:00", "10-18T04:05", true]]);
    }
  });
});
