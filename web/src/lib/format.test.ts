// Numbers and times as a person reads them.
import { describe, expect, it } from "vitest";
import { clockTime, dateTime, exactTime, numberText, percentText, shortDuration, sizeText, spanText, valueText, windowText } from "./format";
import { DAY, HOUR, MINUTE } from "./zone";

const BERLIN = "Europe/Berlin";
const plain = (text: string) => text.replace(/[\u00a0\u202f\u2009]/g, " ");

describe("numbers", () => {
  it("have the decimals of their unit, in the language", () => {
    expect(numberText(31, "°C", "de-DE")).toBe("31,0");
    expect(numberText(12.345, "bar", "en-GB")).toBe("12.35");
    expect(numberText(1234.56, "W", "de-DE")).toBe("1.235");
    expect(numberText(7, "", "en-GB")).toBe("7");
  });

  it("have a real minus, and none before a zero", () => {
    expect(numberText(-5.25, "°C", "en-GB")).toBe("\u22125.3");
    expect(numberText(-0.04, "°C", "en-GB")).toBe("0.0");
  });

  it("become spans and times where the sensor tells those", () => {
    expect(plain(valueText(3725, "s", "Seconds", "en-GB", BERLIN))).toBe("1 h 2 min");
    expect(plain(valueText(60_561_000, "s", "Seconds", "de-DE", BERLIN))).toBe("16.823 h");
    expect(plain(valueText(1_760_000_000, "s", "Timestamp", "de-DE", BERLIN))).toBe("09.10.2025, 10:53");
    expect(valueText(0, "s", "Timestamp", "de-DE", BERLIN)).toBe("\u2013");
    expect(plain(valueText(21.5, "°C", "Celsius", "de-DE", BERLIN))).toBe("21,5 °C");
  });

  it("tell shares and sizes", () => {
    expect([0, 0.0123, 0.5, 1].map((share) => plain(percentText(share, "en-GB")))).toEqual(["0 %", "1.2 %", "50 %", "100 %"]);
    expect([0, 999, 1000, 16_412_345, 64e9].map((bytes) => plain(sizeText(bytes, "en-GB")))).toEqual(["0 B", "999 B", "1 kB", "16 MB", "64 GB"]);
  });
});

describe("spans", () => {
  it("name their two largest units", () => {
    const texts = [0, 400, 4000, 62_000, HOUR + 5 * MINUTE, 3 * DAY, DAY + 90 * MINUTE].map((ms) => plain(spanText(ms, "en-GB")));
    expect(texts).toEqual(["0 s", "0 s", "4 s", "1 min 2 s", "1 h 5 min", "3 d", "1 d 1 h"]);
    expect(plain(spanText(2 * DAY, "de-DE"))).toBe("2 T");
  });
});

describe("spans on an axis", () => {
  it("take few letters", () => {
    const texts = [0, 45, 60, 1800, 3600, 5400, 60_561_000].map((seconds) => shortDuration(seconds, "de-DE"));
    expect(texts).toEqual(["0", "45s", "1min", "30min", "1h", "1:30h", "16.822:30h"]);
  });
});

describe("times", () => {
  const october = Date.parse("2026-10-25T00:30:00Z");

  it("are those of the logger's zone", () => {
    expect(clockTime(october, "de-DE", BERLIN)).toBe("02:30:00");
    expect(plain(dateTime(october, "en-GB", BERLIN))).toBe("25 Oct 2026, 02:30");
  });

  it("tell the hour that comes twice apart", () => {
    expect(exactTime(october, "de-DE", BERLIN)).not.toBe(exactTime(october + HOUR, "de-DE", BERLIN));
  });

  it("name both ends of a window", () => {
    const text = plain(windowText(october, october + DAY, "en-GB", BERLIN));
    expect(text).toContain("25 Oct 2026");
    expect(text).toContain("26 Oct 2026");
  });
});
