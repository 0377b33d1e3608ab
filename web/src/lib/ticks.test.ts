// Marks of the time axis stand at round wall times, in the nights in which the clock is changed as well.
import { describe, expect, it } from "vitest";
import { tickLabels, ticks } from "./ticks";
import { DAY, HOUR, MINUTE, dayOf, wallAt } from "./zone";

const BERLIN = "Europe/Berlin";
const start = (day: string, zone = BERLIN) => dayOf(day, zone)!;

describe("ticks", () => {
  it("stand at even hours of the wall clock before and after the change in March", () => {
    const from = start("2026-03-29");
    const { at } = ticks(from, from + 23 * HOUR, BERLIN, 12);
    expect(at.map((ms) => wallAt(ms, BERLIN).hour)).toEqual([0, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 0]);
  });

  it("stand at even hours before and after the change in October", () => {
    const from = start("2026-10-25");
    const { at } = ticks(from, from + 25 * HOUR, BERLIN, 9);
    expect(at.map((ms) => wallAt(ms, BERLIN).hour)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 0]);
  });

  it("show both of the hours that are told twice where they are an hour apart", () => {
    const from = start("2026-10-25");
    const { at } = ticks(from, from + 5 * HOUR, BERLIN, 6);
    expect(at.map((ms) => wallAt(ms, BERLIN).hour)).toEqual([0, 1, 2, 2, 3, 4]);
  });

  it("stand at local midnights over both changes", () => {
    for (const day of ["2026-03-25", "2026-10-21"]) {
      const { at } = ticks(start(day), start(day) + 9 * DAY, BERLIN, 10);
      expect(at.length).toBeGreaterThanOrEqual(9);
      for (const ms of at) expect(wallAt(ms, BERLIN)).toMatchObject({ hour: 0, minute: 0 });
    }
  });

  it("rise, lie in the window, and are no more than asked for, whatever the window", () => {
    for (const zone of [BERLIN, "UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland"]) {
      for (let length = 10_000; length < 900 * DAY; length *= 1.7) {
        const from = Date.UTC(2026, 2, 28, 21, 13, 5) - length / 3;
        const { at } = ticks(from, from + length, zone, 8);
        expect(at.length).toBeLessThanOrEqual(11);
        expect(at.length).toBeGreaterThanOrEqual(1);
        at.forEach((ms, i) => {
          expect(ms).toBeGreaterThanOrEqual(from);
          expect(ms).toBeLessThanOrEqual(from + length);
          if (i) expect(ms).toBeGreaterThan(at[i - 1]);
        });
      }
    }
  });

  it("stand at full quarter hours in a zone of quarter hours", () => {
    const from = Date.UTC(2026, 0, 5, 3, 7);
    const { at } = ticks(from, from + 2 * HOUR, "Asia/Kathmandu", 8);
    for (const ms of at) expect(wallAt(ms, "Asia/Kathmandu").minute % 15).toBe(0);
    expect(at[1] - at[0]).toBe(15 * MINUTE);
  });
});

describe("labels of ticks", () => {
  it("name the day where it begins, in the language", () => {
    const from = start("2026-11-24") + 12 * HOUR;
    const labels = tickLabels(ticks(from, from + DAY, BERLIN, 4), BERLIN, "de-DE");
    expect(labels).toEqual(["12:00\n24. Nov.", "18:00", "00:00\n25. Nov.", "06:00", "12:00"]);
  });

  it("name the year once for months", () => {
    const from = start("2025-10-15");
    const labels = tickLabels(ticks(from, from + 180 * DAY, BERLIN, 8), BERLIN, "en-GB");
    expect(labels).toEqual(["Nov\n2025", "Dec", "Jan\n2026", "Feb", "Mar", "Apr"]);
  });
});
