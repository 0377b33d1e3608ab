// Wall time of a named zone: what an instant reads there, and which instant a wall time names.

/** A reading of the clock on the wall; `month` counts from 1. */
export interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Zones change their offset at quarter hours only, so an offset holds for all of one. */
const QUARTER = 15 * MINUTE;
const MOST_KNOWN = 20_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, number>();

/** The zone where the browser knows it, else UTC. */
export function knownZone(zone: string): string {
  try {
    clockFormat(zone);
    return zone;
  } catch {
    return "UTC";
  }
}

/** Milliseconds that the zone's clock is ahead of UTC at an instant. */
export function offset(ms: number, zone: string): number {
  const quarter = Math.floor(ms / QUARTER);
  const key = `${zone} ${quarter}`;
  let found = known.get(key);
  if (found === undefined) {
    found = computedOffset(quarter * QUARTER, zone);
    if (known.size > MOST_KNOWN) known.clear();
    known.set(key, found);
  }
  return found;
}

function computedOffset(ms: number, zone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of clockFormat(zone).formatToParts(ms)) part[type] = Number(value);
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - ms;
}

/** The instants between two at which the zone's clock is changed. */
export function changes(from: number, to: number, zone: string): number[] {
  const found: number[] = [];
  for (let ms = from; ms < to; ms += DAY) {
    const end = Math.min(ms + DAY, to);
    if (offset(ms, zone) !== offset(end, zone)) found.push(changeIn(ms, end, zone));
  }
  return found;
}

function changeIn(from: number, to: number, zone: string): number {
  let before = Math.floor(from / QUARTER);
  let after = Math.floor(to / QUARTER);
  while (after - before > 1) {
    const middle = (before + after) >> 1;
    if (offset(middle * QUARTER, zone) === offset(from, zone)) before = middle;
    else after = middle;
  }
  return after * QUARTER;
}

function clockFormat(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}

/** What the zone's clock shows at an instant. */
export function wallAt(ms: number, zone: string): Wall {
  const shifted = new Date(ms + offset(ms, zone));
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
  };
}

/** The instant of a wall time: the first of two, and for one that the clock leaps over as much later as the leap. */
export function instantOf(wall: Partial<Wall> & Pick<Wall, "year" | "month" | "day">, zone: string): number {
  const { hour = 0, minute = 0, second = 0 } = wall;
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, hour, minute, second);
  const before = asUtc - offset(asUtc - DAY, zone);
  const after = asUtc - offset(asUtc + DAY, zone);
  const fits = [before, after].sort((a, b) => a - b).filter((ms) => ms + offset(ms, zone) === asUtc);
  return fits.length ? fits[0] : before;
}

/** The first instant of the local day that holds an instant. */
export function dayStart(ms: number, zone: string): number {
  const { year, month, day } = wallAt(ms, zone);
  return instantOf({ year, month, day }, zone);
}

/** The same wall time some days later (or earlier). */
export function addDays(ms: number, days: number, zone: string): number {
  const wall = wallAt(ms, zone);
  return instantOf({ ...wall, day: wall.day + days }, zone) + (((ms % SECOND) + SECOND) % SECOND);
}

/** The local day of an instant as `2026-11-25`. */
export function dayText(ms: number, zone: string): string {
  const { year, month, day } = wallAt(ms, zone);
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

/** The first instant of a day such as `2026-11-25`; null where the text is no day. */
export function dayOf(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  const start = instantOf({ year, month, day }, zone);
  return dayText(start, zone) === text ? start : null;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
