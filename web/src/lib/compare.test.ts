// Another day laid over the window, hour over hour.
import { describe, expect, it } from "vitest";
import { compareShift, comparedDay } from "./compare";
import { DAY, HOUR } from "./zone";

const BERLIN = "Europe/Berlin";

describe("comparing", () => {
  it("lays the same wall time of the other day over the start", () => {
    const from = Date.parse("2026-11-25T06:15:00Z");
    expect(compareShift(from, "2026-11-20", BERLIN)).toBe(5 * DAY);
    expect(comparedDay(from, 5 * DAY, BERLIN)).toBe("2026-11-20");
  });

  it("keeps to the wall over a change of the clock", () => {
    const winter = Date.parse("2026-10-26T06:00:00Z");
    expect(compareShift(winter, "2026-10-24", BERLIN)).toBe(2 * DAY + HOUR);
    const summer = Date.parse("2026-03-30T05:00:00Z");
    expect(compareShift(summer, "2026-03-28", BERLIN)).toBe(2 * DAY - HOUR);
  });

  it("refuses what is no day", () => {
    expect(compareShift(0, "2026-02-31", BERLIN)).toBeNull();
  });
});
