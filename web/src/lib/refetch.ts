// When what is shown must be asked for anew.
import type { Window } from "./range";

/** The fewest and the most points that the API gives. */
const LEAST_POINTS = 2;
const MOST_POINTS = 5000;

/** What was asked for. */
export interface Asked extends Window {
  points: number;
}

/** A point for each pixel of width, within what the API allows. */
export function pointsFor(width: number): number {
  return Math.min(Math.max(Math.round(width), LEAST_POINTS), MOST_POINTS);
}

/** A live window is due once a poll and a pixel of its width have passed; `now` and `asked.to` in milliseconds. */
export function isLiveDue(asked: Asked, now: number, intervalMs: number): boolean {
  const pixel = (asked.to - asked.from) / asked.points;
  return now - asked.to >= Math.max(pixel, intervalMs);
}

/** How long the page waits before it asks again, in milliseconds: the interval of polling, at most 5 s. */
export function pollDelay(intervalS: number | null): number {
  return Math.min(Math.max(intervalS ?? 5, 1), 5) * 1000;
}
