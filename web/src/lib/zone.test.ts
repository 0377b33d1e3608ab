// The zone's clock, on common days and in both nights in which it is changed.
import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, addDays, changes, dayOf, dayStart, dayText, instantOf, knownZone, offset, wallAt } from "./zone";

const BERLIN = "Europe/Berlin";
const utc = (text: string) => Date.parse(`${text}Z`);

describe("the clock on the wall", () => {
  it("is one hour ahead of UTC in winter and two in summer", () => {
    expect(offset(utc("2026-01-15T12:00:00"), BERLIN)).toBe(HOUR);
    expect(offset(utc("2026-07-15T12:00:00"), BERLIN)).toBe(2 * HOUR);
  });

  it("leaps from two to three in March", () => {
    expect(wallAt(utc("2026-03-29T00:59:59"), BERLIN)).toMatchObject({ hour: 1, minute: 59, second: 59 });
    expect(wallAt(utc("2026-03-29T01:00:00"), BERLIN)).toMatchObject({ hour: 3, minute: 0 });
  });

  it("shows the hour from two to three twice in October", () => {
    expect(wallAt(utc("2026-10-25T00:30:00"), BERLIN)).toEqual(wallAt(utc("2026-10-25T01:30:00"), BERLIN));
  });

  it("is that of UTC where the browser does not know the zone", () => {
    expect(knownZone(BERLIN)).toBe(BERLIN);
    expect(knownZone("localtime")).toBe("UTC");
  });

  it("knows zones of half and quarter hours, and days before 1970", () => {
    expect(offset(utc("2026-01-01T00:00:00"), "Asia/Kolkata")).toBe(5.5 * HOUR);
    expect(offset(utc("2026-01-01T00:00:00"), "Asia/Kathmandu")).toBe(5.75 * HOUR);
    expect(wallAt(utc("1969-12-31T23:30:00"), BERLIN)).toMatchObject({ year: 1970, month: 1, day: 1, hour: 0 });
  });
});

describe("changes of the clock", () => {
  it("are found to the second in a year, and none where there is none", () => {
    const year = [utc("2026-01-01T00:07:00"), utc("2027-01-01T00:07:00")] as const;
    expect(changes(...year, BERLIN)).toEqual([utc("2026-03-29T01:00:00"), utc("2026-10-25T01:00:00")]);
    expect(changes(...year, "Australia/Lord_Howe")).toEqual([utc("2026-04-04T15:00:00"), utc("2026-10-03T15:30:00")]);
    expect(changes(...year, "Asia/Kolkata")).toEqual([]);
  });

  it("belong to a span from the moment before", () => {
    const change = utc("2026-03-29T01:00:00");
    expect(changes(change - 1, change + 1, BERLIN)).toEqual([change]);
    expect(changes(change, change + HOUR, BERLIN)).toEqual([]);
  });
});

describe("the instant of a wall time", () => {
  it("is the first of two in October", () => {
    expect(instantOf({ year: 2026, month: 10, day: 25, hour: 2, minute: 30 }, BERLIN)).toBe(utc("2026-10-25T00:30:00"));
  });

  it("is moved on by the leap where the clock leaps over it", () => {
    expect(instantOf({ year: 2026, month: 3, day: 29, hour: 2, minute: 30 }, BERLIN)).toBe(utc("2026-03-29T01:30:00"));
  });

  it("reads the same again on the wall, for every quarter hour of both days but the leap", () => {
    for (const start of ["2026-03-28T23:00:00", "2026-10-24T22:00:00"].map(utc)) {
      for (let ms = start; ms < start + 25 * HOUR; ms += 15 * MINUTE) {
        const wall = wallAt(ms, BERLIN);
        const again = instantOf(wall, BERLIN);
        expect(wallAt(again, BERLIN)).toEqual(wall);
        expect([0, -HOUR]).toContain(again - ms);
      }
    }
  });

  it("holds in zones west of UTC too", () => {
    for (let day = 1; day <= 365; day++) {
      const ms = instantOf({ year: 2026, month: 1, day, hour: 12 }, "America/New_York");
      expect(wallAt(ms, "America/New_York").hour).toBe(12);
    }
  });
});

describe("local days", () => {
  it("have 23 hours in March and 25 in October", () => {
    const length = (text: string) => addDays(dayOf(text, BERLIN)!, 1, BERLIN) - dayOf(text, BERLIN)!;
    expect(length("2026-03-29")).toBe(23 * HOUR);
    expect(length("2026-10-25")).toBe(25 * HOUR);
    expect(length("2026-10-26")).toBe(DAY);
  });

  it("begin and are named by the zone, not by UTC", () => {
    expect(dayText(utc("2026-11-24T23:30:00"), BERLIN)).toBe("2026-11-25");
    expect(dayStart(utc("2026-11-24T23:30:00"), BERLIN)).toBe(utc("2026-11-24T23:00:00"));
  });

  it("keep the wall time when they are added, and the milliseconds", () => {
    const evening = utc("2026-10-24T18:00:00") + 123;
    expect(addDays(evening, 1, BERLIN) - evening).toBe(25 * HOUR);
    expect(addDays(addDays(evening, 200, BERLIN), -200, BERLIN)).toBe(evening);
  });

  it("are refused where the calendar has no such day", () => {
    expect(dayOf("2026-02-30", BERLIN)).toBeNull();
    expect(dayOf("26-2-3", BERLIN)).toBeNull();
    expect(dayOf("", BERLIN)).toBeNull();
  });
});
