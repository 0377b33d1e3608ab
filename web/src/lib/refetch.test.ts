// When the page asks again, and for how much.
import { describe, expect, it } from "vitest";
import { isLiveDue, pointsFor, pollDelay } from "./refetch";
import { DAY, HOUR } from "./zone";

describe("points", () => {
  it("are one a pixel within the API's bounds", () => {
    expect([0, 318.6, 1200, 90_000].map(pointsFor)).toEqual([2, 319, 1200, 5000]);
  });
});

describe("a live window", () => {
  it("goes on after a poll where a pixel is shorter", () => {
    const asked = { from: 0, to: HOUR, points: 1000 };
    expect(isLiveDue(asked, HOUR + 29_000, 30_000)).toBe(false);
    expect(isLiveDue(asked, HOUR + 30_000, 30_000)).toBe(true);
  });

  it("goes on after a pixel where that is longer: a year not with each poll", () => {
    const asked = { from: 0, to: 365 * DAY, points: 1000 };
    expect(isLiveDue(asked, 365 * DAY + HOUR, 30_000)).toBe(false);
    expect(isLiveDue(asked, 365 * DAY + 9 * HOUR, 30_000)).toBe(true);
  });
});

describe("the newest reading", () => {
  it("is asked for with each poll, at least every five seconds, at most every second", () => {
    expect([null, 30, 5, 2, 0.2].map(pollDelay)).toEqual([5000, 5000, 5000, 2000, 1000]);
  });
});
