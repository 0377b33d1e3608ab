// What the first screen makes of a reading.
import { describe, expect, it } from "vitest";
import type { Latest, Sensor } from "../api/types";
import { lastError, overviewSensors, shownLamps, statusSpan } from "./overview";
import { byName } from "./presets";

function latest(values: Latest["values"]): Latest {
  return {
    time: "2026-11-25T17:00:00Z",
    age_s: 1,
    interval_s: 30,
    zone: "Europe/Berlin",
    firmware: null,
    pump: null,
    status: "ok",
    reasons: [],
    gaps_today: 0,
    gaps_today_filled: 0,
    gap_now: null,
    values,
    not_fitted: [],
  };
}

const changing = (name: string, changes: boolean) => ({ name, changes }) as Sensor;

describe("the first screen", () => {
  it("asks for no sensor that the pump does not have", () => {
    expect(overviewSensors(byName([changing("ID_WEB_Temperatur_TVL", true), changing("other", true)]))).toEqual(["ID_WEB_Temperatur_TVL"]);
  });

  it("shows common lamps always, rare ones if they are on or ever change", () => {
    const told = latest({ ID_WEB_VD1out: 0, ID_WEB_VD2out: 0, ID_WEB_ZUPout: 1, ID_WEB_ZIPout: 0 });
    const known = byName([changing("ID_WEB_VD2out", false), changing("ID_WEB_ZIPout", true)]);
    expect(shownLamps(told, known).map(({ name, on }) => [name, on])).toEqual([
      ["ID_WEB_VD1out", false],
      ["ID_WEB_ZUPout", true],
      ["ID_WEB_ZIPout", false],
    ]);
  });

  it("tells how long the state has lasted or takes", () => {
    const span = (word: number, seconds: number) =>
      statusSpan(latest({ ID_WEB_HauptMenuStatus_Zeile2: word, ID_WEB_HauptMenuStatus_Zeit: seconds }));
    expect(span(0, 65)).toEqual({ isAhead: false, ms: 65_000 });
    expect(span(1, 5)).toEqual({ isAhead: true, ms: 5000 });
    expect(span(0, 0)).toBeNull();
    expect(statusSpan(latest({}))).toBeNull();
  });

  it("tells the newest error, whatever its slot", () => {
    const told = latest({
      ID_WEB_ERROR_Nr0: 715,
      ID_WEB_ERROR_Time0: 100,
      ID_WEB_ERROR_Nr3: 708,
      ID_WEB_ERROR_Time3: 300,
      ID_WEB_ERROR_Nr4: 0,
      ID_WEB_ERROR_Time4: 900,
    });
    expect(lastError(told)).toEqual({ name: "ID_WEB_ERROR_Nr3", code: 708, ms: 300_000 });
    expect(lastError(latest({}))).toBeNull();
  });
});
