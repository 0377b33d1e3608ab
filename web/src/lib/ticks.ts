// Where the marks of a time axis stand, in the wall time of a zone, and what is written beside them.
import { DAY, HOUR, MINUTE, SECOND, addDays, dayStart, instantOf, offset, wallAt } from "./zone";

/** The distance of marks: a fixed length, whole hours of the wall clock, days, or months. */
type Step = { unit: "ms" | "hour" | "day" | "month"; size: number; about: number };

const MONTH = 30.4 * DAY;
const STEPS: Step[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => fixed(n * SECOND)),
  ...[1, 2, 5, 10, 15, 30, 60].map((n) => fixed(n * MINUTE)),
  ...[2, 3, 6, 12].map((size) => ({ unit: "hour" as const, size, about: size * HOUR })),
  ...[1, 2, 7, 14].map((size) => ({ unit: "day" as const, size, about: size * DAY })),
  ...[1, 2, 3, 6, 12, 24, 60].map((size) => ({ unit: "month" as const, size, about: size * MONTH })),
];

export interface Ticks {
  at: number[];
  unit: Step["unit"];
  size: number;
}

/** At most about `most` marks in a window, each at a round wall time. */
export function ticks(from: number, to: number, zone: string, most: number): Ticks {
  const step = STEPS.find(({ about }) => (to - from) / about <= Math.max(most, 1)) ?? STEPS[STEPS.length - 1];
  const all = { ms: byLength, hour: byHour, day: byDay, month: byMonth }[step.unit](from, to, zone, step.size);
  const at = all.filter((ms, i) => ms >= from && ms <= to && ms !== all[i - 1]);
  return { at, unit: step.unit, size: step.size };
}

function fixed(size: number): Step {
  return { unit: "ms", size, about: size };
}

function byLength(from: number, to: number, zone: string, size: number): number[] {
  const shift = offset(from, zone) % size;
  const found: number[] = [];
  for (let ms = Math.ceil((from + shift) / size) * size - shift; ms <= to; ms += size) found.push(ms);
  return found;
}

function byHour(from: number, to: number, zone: string, size: number): number[] {
  const found: number[] = [];
  for (let day = dayStart(from, zone); day <= to; day = addDays(day, 1, zone)) {
    const wall = wallAt(day, zone);
    for (let hour = 0; hour < 24; hour += size) found.push(instantOf({ ...wall, hour }, zone));
  }
  return found;
}

function byDay(from: number, to: number, zone: string, size: number): number[] {
  const found: number[] = [];
  for (let day = dayStart(from, zone); day <= to; day = addDays(day, 1, zone)) {
    if (isDayMarked(day, zone, size)) found.push(day);
  }
  return found;
}

/** Weeks begin on Mondays; every second day is the odd one of its month, less the 31st. */
function isDayMarked(ms: number, zone: string, size: number): boolean {
  const { year, month, day } = wallAt(ms, zone);
  if (size === 2) return day % 2 === 1 && day < 31;
  const sinceMonday = Math.round(Date.UTC(year, month - 1, day) / DAY) - 4;
  return size === 1 || sinceMonday % size === 0;
}

function byMonth(from: number, to: number, zone: string, size: number): number[] {
  const { year } = wallAt(from, zone);
  const found: number[] = [];
  for (let month = 1; ; month += size) {
    const ms = instantOf({ year: year - (year % 5), month, day: 1 }, zone);
    if (ms > to) return found;
    found.push(ms);
  }
}

/** One label a mark, with a second line where the day (or the year) begins or the axis does. */
export function tickLabels({ at, unit, size }: Ticks, zone: string, locale: string): string[] {
  const write = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
    return (ms: number) => format.format(ms);
  };
  const seconds = unit === "ms" && size < MINUTE;
  const year = write({ year: "numeric" });
  if (unit === "month") return twoLines(at, size >= 12 ? () => "" : write({ month: "short" }), year);
  const day = write({ day: "numeric", month: "short" });
  if (unit === "day") return twoLines(at, day, year);
  const clock = write({ hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) });
  return twoLines(at, clock, day);
}

function twoLines(at: number[], first: (ms: number) => string, second: (ms: number) => string): string[] {
  let before = "";
  return at.map((ms) => {
    const below = second(ms);
    const label = below === before ? first(ms) : `${first(ms)}\n${below}`;
    before = below;
    return label;
  });
}
