// Windows: quick ranges, steps over the changes of the clock, zoom, pan, pinch.
import { describe, expect, it } from "vitest";
import { type Range, between, canStepOn, dayRange, heldBack, moved, pinched, resolved, singleDay, stepped, wholeDays, zoomed } from "./range";
import { DAY, HOUR, MINUTE, dayOf } from "./zone";

const BERLIN = "Europe/Berlin";
const NOW = Date.parse("2026-11-25T17:00:00Z");
const fixed = (from: number, to: number): Range => ({ kind: "fixed", from, to });

describe("days", () => {
  it("are as long as the zone says", () => {
    const day = resolved(dayRange("2026-10-25", BERLIN)!, NOW);
    expect(day.to - day.from).toBe(25 * HOUR);
    expect(wholeDays(day, BERLIN)).toBe(1);
    expect(singleDay(dayRange("2026-10-25", BERLIN)!, BERLIN)).toBe("2026-10-25");
  });

  it("stay days when stepped over a change of the clock, there and back", () => {
    const saturday = dayRange("2026-10-24", BERLIN)!;
    const sunday = stepped(saturday, 1, BERLIN, NOW);
    expect(sunday).toEqual(dayRange("2026-10-25", BERLIN));
    expect(stepped(sunday, -1, BERLIN, NOW)).toEqual(saturday);
  });

  it("are not found in other windows", () => {
    expect(singleDay(fixed(NOW - DAY, NOW), BERLIN)).toBeNull();
    expect(singleDay({ kind: "last", span: "24h" }, BERLIN)).toBeNull();
    expect(dayRange("nonsense", BERLIN)).toBeNull();
  });
});

describe("steps", () => {
  it("leave the live window back and come to it again", () => {
    const back = stepped({ kind: "last", span: "7d" }, -1, BERLIN, NOW);
    expect(back).toEqual(fixed(NOW - 14 * DAY, NOW - 7 * DAY));
    expect(stepped(back, 1, BERLIN, NOW)).toEqual({ kind: "last", span: "7d" });
  });

  it("end now where they would end later", () => {
    const near = fixed(NOW - 3 * HOUR, NOW - HOUR);
    expect(stepped(near, 1, BERLIN, NOW)).toEqual(fixed(NOW - 2 * HOUR, NOW));
  });

  it("go on from windows that have ended only", () => {
    expect(canStepOn({ kind: "last", span: "24h" }, NOW)).toBe(false);
    expect(canStepOn(fixed(NOW - DAY, NOW - HOUR), NOW)).toBe(true);
  });

  it("today begins at the local midnight", () => {
    const today = dayRange("2026-11-25", BERLIN)!;
    expect(today).toMatchObject({ from: dayOf("2026-11-25", BERLIN) });
    expect(canStepOn(today, NOW)).toBe(false);
  });
});

describe("zoom and pan", () => {
  const window = { from: NOW - DAY, to: NOW };

  it("keep the moment under the cursor where it is", () => {
    for (const share of [0, 0.2, 0.5, 1]) {
      const around = window.from + share * DAY;
      for (const factor of [0.1, 0.5, 2, 7]) {
        const next = zoomed(window, factor, around);
        expect((around - next.from) / (next.to - next.from)).toBeCloseTo(share, 6);
        expect(next.to - next.from).toBeCloseTo(DAY * factor, 0);
      }
    }
  });

  it("stop at a minute and at three years", () => {
    expect(zoomed(window, 1e-9).to - zoomed(window, 1e-9).from).toBeCloseTo(MINUTE, 0);
    expect(zoomed(window, 1e9).to - zoomed(window, 1e9).from).toBeCloseTo(1100 * DAY, 0);
  });

  it("move both ends alike", () => {
    expect(moved(window, -HOUR)).toEqual({ from: window.from - HOUR, to: window.to - HOUR });
  });

  it("do not lead beyond now, nor beyond the end of a day that is not over", () => {
    expect(heldBack({ from: NOW - HOUR, to: NOW + HOUR }, window, NOW)).toEqual({ from: NOW - 2 * HOUR, to: NOW });
    const today = { from: NOW - 18 * HOUR, to: NOW + 6 * HOUR };
    expect(heldBack(moved(today, HOUR), today, NOW)).toEqual(today);
    expect(heldBack(moved(window, -HOUR), window, NOW)).toEqual(moved(window, -HOUR));
  });

  it("take a drag in either direction", () => {
    expect(between(NOW, NOW - HOUR)).toEqual({ from: NOW - HOUR, to: NOW });
    expect(between(NOW, NOW + 5)).toEqual({ from: NOW + 2.5 - MINUTE / 2, to: NOW + 2.5 + MINUTE / 2 });
  });
});

describe("a pinch", () => {
  it("keeps the moments under both fingers", () => {
    const window = { from: 0, to: DAY };
    const next = pinched(window, [0.4, 0.6], [0.2, 0.9]);
    const at = (share: number) => next.from + share * (next.to - next.from);
    expect(at(0.2)).toBeCloseTo(0.4 * DAY, 3);
    expect(at(0.9)).toBeCloseTo(0.6 * DAY, 3);
  });

  it("does nothing while the fingers lie on one another", () => {
    expect(pinched({ from: 0, to: DAY }, [0.4, 0.6], [0.5, 0.505])).toEqual({ from: 0, to: DAY });
  });
});
