// Times without readings, and which parts of them the controller's own log fills: each line as far as it has values there.
import type { Gap } from "../api/types";
import type { Window } from "./range";

/** The log has a record a minute; each stands for the polls that are no further away. */
export const RECORD_MS = 60_000;
export const NEAR_MS = 60_500;

/** A gap, or a part of one, in milliseconds. */
export interface Hole extends Window {
  missing: number;
  reason: string;
  /** How many of the missing polls have a record by now. */
  filled: number;
  /** The whole gap, of which this may be a part. */
  whole: Window;
  /** How far two polls lay apart. */
  pollMs: number;
  /** Whether values from the log lie here. */
  isFilled: boolean;
}

/** The gaps of the window, and those of the day that is laid over, moved to where it lies. */
export interface Holes {
  own: Hole[];
  ghost: Hole[];
}

/** What of a line tells where it has values. */
export interface Times {
  times: number[];
  /** Where runs end that begin at `times`. */
  ends: number[] | null;
  stepMs: number | null;
}

/** In order. What lies outside of the window is not known of a gap that was filled, so it is left out. */
export function holesOf(gaps: Gap[], window?: Window): Hole[] {
  const holes = gaps.map((gap) => {
    const whole = { from: Date.parse(gap.from), to: Date.parse(gap.to) };
    const { from, to } = window && gap.filled ? cut(whole, window) : whole;
    const pollMs = (whole.to - whole.from) / (gap.missing + 1);
    return { from, to, missing: gap.missing, reason: gap.reason, filled: gap.filled, whole, pollMs, isFilled: false };
  });
  return holes.filter(({ from, to }) => from <= to).sort((a, b) => a.from - b.from);
}

function cut(span: Window, { from, to }: Window): Window {
  return { from: Math.max(span.from, from), to: Math.min(span.to, to) };
}

/** The gaps as a line has them: parts that its values fill, and parts that stay missing. No counter is in the log. */
export function holesOfLine(holes: Hole[], line: Times, isCounter = false): Hole[] {
  return holes.flatMap((hole) => (hole.filled ? parts(hole, covered(hole, line, isCounter), line.stepMs ?? 0) : [hole]));
}

/** The gaps as several lines have them together: filled wherever one of them is. */
export function commonHoles(holes: Hole[], lines: Hole[][]): Hole[] {
  const filled = lines.flat().filter(({ isFilled }) => isFilled);
  return holes.flatMap((hole) => {
    const mine = filled.filter(({ whole, reason }) => whole.from === hole.whole.from && reason === hole.reason);
    return hole.filled ? parts(hole, mine, 0) : [hole];
  });
}

/** The times of a gap near which a line has a value from the log. */
function covered(hole: Hole, { times, ends, stepMs }: Times, isCounter: boolean): Window[] {
  if (ends) return times.flatMap((from, i) => reached(hole, { from, to: ends[i] }));
  const step = stepMs ?? 0;
  if (step && !holdsStep(hole, step, times[0] ?? 0)) return hole.filled >= hole.missing && times.length && !isCounter ? [hole] : [];
  // A step that reaches beyond the gap has readings too.
  const inside = times.slice(firstFrom(times, hole.from + 1), firstFrom(times, hole.to - Math.max(step, 1) + 1));
  return inside.map((ms) => cut({ from: ms - NEAR_MS, to: ms + step + NEAR_MS }, hole));
}

/** The place of the first of rising times that is no earlier. */
function firstFrom(times: number[], ms: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a run covers of a gap; the last one before it reaches into it by as much as readings lie apart. */
function reached(hole: Hole, run: Window): Window[] {
  const { from: begin, to: end } = hole.whole;
  if (run.from >= end || (run.from <= begin && run.to <= begin + 1.5 * hole.pollMs)) return [];
  const { from, to } = cut({ from: run.from > begin ? run.from - NEAR_MS : run.from, to: run.to }, hole);
  return from < to ? [{ from, to }] : [];
}

/** Whether a step lies within the gap from end to end, wherever the steps begin. */
function holdsStep({ from, to }: Window, step: number, begin: number): boolean {
  return begin + Math.ceil((from - begin) / step) * step + step <= to;
}

/** A gap in pieces. A rest in which no poll was due, or that is shorter than a step, is none. */
function parts(hole: Hole, filled: Window[], stepMs: number): Hole[] {
  const least = Math.max(hole.pollMs, stepMs);
  const joined: Window[] = [];
  for (const { from, to } of [...filled].sort((a, b) => a.from - b.from)) {
    const before = joined[joined.length - 1];
    const reached = before ? before.to : hole.from;
    if (from - reached >= least) joined.push({ from, to });
    else if (before) before.to = Math.max(before.to, to);
    else joined.push({ from: hole.from, to });
  }
  const last = joined[joined.length - 1];
  if (last && hole.to - last.to < least) last.to = hole.to;
  const found: Hole[] = [];
  let at = hole.from;
  for (const { from, to } of joined) {
    if (at < from) found.push({ ...hole, from: at, to: from });
    found.push({ ...hole, from, to, isFilled: true });
    at = to;
  }
  if (at < hole.to || !found.length) found.push({ ...hole, from: at });
  return found;
}

/** The gap that a moment lies in, else one that is near. */
export function holeAt(holes: Hole[], ms: number, reach = 0): Hole | null {
  const within = (by: number) => holes.find(({ from, to }) => from - by <= ms && ms <= to + by);
  return within(0) ?? within(reach) ?? null;
}

/** How many polls are missing where nothing was filled: what the log left of the gap, or all where it has these sensors not. */
export function stillMissing({ missing, filled }: Hole): number {
  return filled < missing ? missing - filled : missing;
}
