// Numbers, sizes, spans and times as a person reads them in a language and a zone.
import { DAY, HOUR, MINUTE, SECOND } from "./zone";

/** How many digits a value has after the point, by its unit and size. */
function digits(unit: string, value: number): number {
  if (unit === "bar") return 2;
  if (unit === "°C" || unit === "K") return 1;
  if (Number.isInteger(value)) return 0;
  return Math.abs(value) >= 1000 ? 0 : 1;
}

export function numberText(value: number, unit: string, locale: string): string {
  const fraction = digits(unit, value);
  return plainNumber(value, fraction, unit === "°C" || unit === "K" || unit === "bar" ? fraction : 0, locale);
}

function plainNumber(value: number, most: number, least: number, locale: string): string {
  const rounded = Number(value.toFixed(most)) || 0; // no minus before a zero
  return cached(`n${most}${least}`, locale, () => {
    const format = new Intl.NumberFormat(locale, { maximumFractionDigits: most, minimumFractionDigits: least });
    return (each: number) => format.format(each).replace("-", "\u2212");
  })(rounded);
}

/** A value with its unit; seconds become a span, which is what a person reads. */
export function valueText(value: number, unit: string, type: string, locale: string, zone: string): string {
  if (type === "Timestamp") return value > 0 ? dateTime(value * SECOND, locale, zone) : "\u2013";
  if (unit === "s") return durationText(value, locale);
  const text = numberText(value, unit, locale);
  return unit ? `${text}\u00a0${unit}` : text;
}

/** Seconds from which on hours alone are told, as operating hours are. */
const OPERATING_S = 100 * 3600;

/** A sensor's seconds. */
export function durationText(seconds: number, locale: string): string {
  if (seconds < OPERATING_S) return spanText(seconds * SECOND, locale);
  return `${plainNumber(seconds / 3600, 0, 0, locale)}\u00a0h`;
}

/** The same in few letters, for an axis: `45s`, `30min`, `1:30h`, `16.823h`. */
export function shortDuration(seconds: number, locale: string): string {
  if (seconds < 60) return seconds ? `${plainNumber(seconds, 0, 0, locale)}s` : "0";
  if (seconds < 3600) return `${plainNumber(seconds / 60, 1, 0, locale)}min`;
  const hours = plainNumber(Math.floor(seconds / 3600), 0, 0, locale);
  const minutes = Math.floor((seconds % 3600) / 60);
  return minutes ? `${hours}:${String(minutes).padStart(2, "0")}h` : `${hours}h`;
}

/** A span in its two largest units, such as `2 h 5 min`. */
export function spanText(ms: number, locale: string): string {
  const parts: [number, string][] = [
    [DAY, locale.startsWith("de") ? "T" : "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [SECOND, "s"],
  ];
  const rest = Math.max(0, Math.round(ms / SECOND) * SECOND);
  const first = parts.findIndex(([length]) => rest >= length);
  if (first < 0) return "0\u00a0s";
  const [large, small] = [parts[first], parts[first + 1]];
  const whole = Math.floor(rest / large[0]);
  const text = `${plainNumber(whole, 0, 0, locale)}\u00a0${large[1]}`;
  const left = small ? Math.floor((rest - whole * large[0]) / small[0]) : 0;
  return left ? `${text} ${left}\u00a0${small[1]}` : text;
}

export function percentText(share: number, locale: string): string {
  const percent = share * 100;
  const fraction = percent > 0 && percent < 10 ? 1 : 0;
  return `${plainNumber(percent, fraction, 0, locale)}\u00a0%`;
}

/** Bytes in the units that file managers use. */
export function sizeText(bytes: number, locale: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let i = 0;
  for (; value >= 1000 && i < units.length - 1; i++) value /= 1000;
  return `${plainNumber(value, i && value < 10 ? 1 : 0, 0, locale)}\u00a0${units[i]}`;
}

type Write = (value: number) => string;
const writers = new Map<string, Write>();

function cached(kind: string, key: string, make: () => Write): Write {
  const name = `${kind} ${key}`;
  let found = writers.get(name);
  if (!found) {
    found = make();
    writers.set(name, found);
  }
  return found;
}

function timeWriter(kind: string, locale: string, zone: string, options: Intl.DateTimeFormatOptions): Write {
  return cached(`t${kind} ${zone}`, locale, () => {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
    return (ms) => format.format(ms);
  });
}

export function dateTime(ms: number, locale: string, zone: string): string {
  return timeWriter("dt", locale, zone, { dateStyle: "medium", timeStyle: "short" })(ms);
}

/** Without the year, for lists of the last days. */
export function shortTime(ms: number, locale: string, zone: string): string {
  return timeWriter("s", locale, zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })(ms);
}

/** To the second, with the day of the week and the offset's name, which tells the twice told hour apart. */
export function exactTime(ms: number, locale: string, zone: string): string {
  return timeWriter("x", locale, zone, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  })(ms);
}

export function clockTime(ms: number, locale: string, zone: string): string {
  return timeWriter("c", locale, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" })(ms);
}

export function minuteTime(ms: number, locale: string, zone: string): string {
  return timeWriter("m", locale, zone, { hour: "2-digit", minute: "2-digit" })(ms);
}

export function dayShort(ms: number, locale: string, zone: string): string {
  return timeWriter("ds", locale, zone, { day: "numeric", month: "short" })(ms);
}

export function dayOfWeek(ms: number, locale: string, zone: string): string {
  return timeWriter("dw", locale, zone, { weekday: "short", day: "numeric", month: "short" })(ms);
}

export function dayLong(ms: number, locale: string, zone: string): string {
  return timeWriter("d", locale, zone, { weekday: "short", day: "numeric", month: "long", year: "numeric" })(ms);
}

/** Both ends of a window in one line, the shared part once. */
export function windowText(from: number, to: number, locale: string, zone: string): string {
  const isShort = to - from < 20 * MINUTE;
  const options: Intl.DateTimeFormatOptions = {
    timeZone: zone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(isShort ? { second: "2-digit" } : {}),
  };
  return new Intl.DateTimeFormat(locale, options).formatRange(from, to);
}
