// Laying another day over the window: each of its moments stands where the clock on the wall shows the same time.
//
// Where the clock changes, wall times come twice or not at all. One that comes twice means the first of both: the second
// is left out of the other day, and in the window nothing stands beside it. One that only one of the two days has is
// left out of the other day, or left blank in the window. So all that is laid over is there once, in order, and what
// statistics say of it is true.
import type { Hole } from "./holes";
import type { Window } from "./range";
import type { Line } from "./series";
import { DAY, addDays, changes, dayOf, dayStart, offset } from "./zone";

/** A part of the other day, and how much later the window has it. */
export interface Stretch extends Window {
  shift: number;
}

/** A time during which the clock does not change, as it shows it; `ahead` is how far it is ahead of UTC. */
interface Steady extends Window {
  ahead: number;
}

/** What is laid over a window, and a day around it, that begins on another day; null where the text is no day. */
export function stretchesOf(window: Window, day: string, zone: string): Stretch[] | null {
  const start = dayOf(day, zone);
  if (start === null) return null;
  const days = Math.round((dayStart(window.from, zone) - start) / DAY);
  // A day more on each side: whether a time comes twice must not depend on where the window begins.
  const around = { from: window.from - DAY, to: window.to + DAY };
  const other = { from: addDays(around.from, -days, zone), to: addDays(around.to, -days, zone) };
  return met(steadies(around, zone), steadies(other, zone), days * DAY);
}

/** The parts between changes of the clock, each from where the one before it ended on the wall. */
function steadies({ from, to }: Window, zone: string): Steady[] {
  const edges = [from, ...changes(from, to, zone), to];
  let reached = -Infinity;
  return edges.slice(1).map((end, i) => {
    const ahead = offset(edges[i], zone);
    const begin = Math.max(edges[i] + ahead, reached);
    reached = Math.max(reached, end + ahead);
    return { from: begin, to: end + ahead, ahead };
  });
}

/** Where the wall times of both meet, those of the other day moved by some days. */
function met(own: Steady[], other: Steady[], by: number): Stretch[] {
  return own.flatMap((mine) =>
    other.flatMap((its) => {
      const back = by + its.ahead;
      const from = Math.max(mine.from, its.from + by) - back;
      const to = Math.min(mine.to, its.to + by) - back;
      return from < to ? [{ from, to, shift: back - mine.ahead }] : [];
    }),
  );
}

/** The time of the other day that the window shows; null where it shows none. */
export function comparedWindow(window: Window, stretches: Stretch[]): Window | null {
  const seen = stretches
    .map(({ from, to, shift }) => ({ from: Math.max(from, window.from - shift), to: Math.min(to, window.to - shift) }))
    .filter(({ from, to }) => from < to);
  return seen.length ? { from: seen[0].from, to: seen[seen.length - 1].to } : null;
}

/** Where a time of the other day stands in the window: in pieces, none where it has no place. */
export function placed(from: number, to: number, stretches: Stretch[]): Window[] {
  return stretches
    .map((each) => ({ from: Math.max(from, each.from) + each.shift, to: Math.min(to, each.to) + each.shift }))
    .filter((piece) => piece.from < piece.to);
}

export function movedHoles(holes: Hole[], stretches: Stretch[]): Hole[] {
  return holes.flatMap((hole) =>
    stretches.flatMap((each) => {
      const whole = { from: hole.whole.from + each.shift, to: hole.whole.to + each.shift };
      return placed(hole.from, hole.to, [each]).map((piece) => ({ ...hole, ...piece, whole }));
    }),
  );
}

/** A piece of what stands at a place of a line. */
interface Moved extends Window {
  i: number;
}

/** The lines where they stand in the window; those that share their times do so still. */
export function movedLines(lines: Line[], stretches: Stretch[]): Line[] {
  const known = new Map<number[], { pieces: Moved[]; times: number[] }>();
  return lines.map((line) => {
    const { times, ends, stepMs } = line;
    if (ends) {
      const pieces = times.flatMap((from, i) => placed(from, ends[i], stretches).map((piece) => ({ i, ...piece })));
      return { ...picked(line, pieces), times: pieces.map(({ from }) => from), ends: pieces.map(({ to }) => to) };
    }
    let found = known.get(times);
    if (!found) {
      // A value, or a step, is no run: it stands once, where it first has a place.
      const pieces = times.flatMap((from, i) => {
        const [piece] = placed(from, from + (stepMs ?? 1), stretches);
        return piece ? [{ i, ...piece }] : [];
      });
      known.set(times, (found = { pieces, times: pieces.map(({ from }) => from) }));
    }
    return { ...picked(line, found.pieces), times: found.times };
  });
}

function picked(line: Line, pieces: Moved[]): Line {
  const of = <T>(values: T[]) => pieces.map(({ i }) => values[i]);
  const { mean, min, max, count } = line;
  return { ...line, mean: of(mean), min: min && of(min), max: max && of(max), count: count && of(count), ghost: true };
}
