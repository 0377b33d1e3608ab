// Windows of time: quick ranges, steps, zoom and pan.
import { DAY, MINUTE, addDays, dayOf, dayStart, dayText } from "./zone";

export const SPANS = { "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "1y": 365 * DAY } as const;
export type Span = keyof typeof SPANS;

/** What a person looks at: a span that ends now and goes on with time, or two fixed moments. */
export type Range = { kind: "last"; span: Span } | { kind: "fixed"; from: number; to: number };

export interface Window {
  from: number;
  to: number;
}

/** The shortest and the longest window that is worth a look. */
export const SHORTEST = MINUTE;
export const LONGEST = 1100 * DAY;

export function resolved(range: Range, now: number): Window {
  return range.kind === "last" ? { from: now - SPANS[range.span], to: now } : { from: range.from, to: range.to };
}

export function isSpan(text: string | null): text is Span {
  return text !== null && text in SPANS;
}

/** A local day, from its first moment to that of the next. */
export function dayRange(day: string, zone: string): Range | null {
  const from = dayOf(day, zone);
  return from === null ? null : { kind: "fixed", from, to: addDays(from, 1, zone) };
}

/** How many whole local days a window is; null where it is not. */
export function wholeDays({ from, to }: Window, zone: string): number | null {
  if (dayStart(from, zone) !== from || dayStart(to, zone) !== to) return null;
  return Math.round((to - from) / DAY) || null;
}

/** The day that a window is; null where it is none. */
export function singleDay(range: Range, zone: string): string | null {
  if (range.kind === "last" || wholeDays(range, zone) !== 1) return null;
  return dayText(range.from, zone);
}

/** The window before (-1) or after (1): whole days stay whole days; what would end in the future ends now. */
export function stepped(range: Range, direction: -1 | 1, zone: string, now: number): Range {
  const window = resolved(range, now);
  const days = wholeDays(window, zone);
  const next = days
    ? { from: addDays(window.from, direction * days, zone), to: addDays(window.to, direction * days, zone) }
    : moved(window, direction * (window.to - window.from));
  return direction > 0 && !days && next.to >= now ? live(next, now) : { kind: "fixed", ...next };
}

/** The quick range of the same length, else the window moved to end now. */
function live(window: Window, now: number): Range {
  const length = window.to - window.from;
  const span = (Object.keys(SPANS) as Span[]).find((each) => Math.abs(SPANS[each] - length) < MINUTE);
  return span ? { kind: "last", span } : { kind: "fixed", from: now - length, to: now };
}

export function canStepOn(range: Range, now: number): boolean {
  return range.kind === "fixed" && range.to < now;
}

/** A window `factor` times as long around a moment that keeps its place. */
export function zoomed(window: Window, factor: number, around = (window.from + window.to) / 2): Window {
  const length = Math.min(Math.max((window.to - window.from) * factor, SHORTEST), LONGEST);
  const share = (around - window.from) / (window.to - window.from);
  const from = around - share * length;
  return { from, to: from + length };
}

export function moved(window: Window, by: number): Window {
  return { from: window.from + by, to: window.to + by };
}

/** The window that a drag spans, whichever way it went, no shorter than the shortest. */
export function between(a: number, b: number): Window {
  const middle = (a + b) / 2;
  const half = Math.max(Math.abs(a - b), SHORTEST) / 2;
  return { from: middle - half, to: middle + half };
}

/** The window that two fingers make of one: the moments under them stay under them. */
export function pinched(window: Window, before: [number, number], after: [number, number]): Window {
  const [a, b] = before;
  const [x, y] = after;
  if (Math.abs(y - x) < 0.01) return window;
  const length = window.to - window.from;
  const next = Math.min(Math.max((length * (b - a)) / (y - x), SHORTEST), LONGEST);
  const middle = window.from + (length * (a + b)) / 2;
  const from = middle - (next * (x + y)) / 2;
  return { from, to: from + next };
}

/** The window moved back where it would end after now, unless the one before did so as well. */
export function heldBack(next: Window, before: Window, now: number): Window {
  return next.to > Math.max(before.to, now) ? moved(next, Math.max(before.to, now) - next.to) : next;
}

/** A fixed range of whole seconds, as the address can hold it. */
export function fixedRange({ from, to }: Window): Range {
  return { kind: "fixed", from: Math.round(from / 1000) * 1000, to: Math.round(to / 1000) * 1000 };
}
