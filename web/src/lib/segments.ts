// Runs of one state, as coloured bands show them and as statistics count them.
import { type Hole, holesOfLine } from "./holes";
import { type Line, breaksOf, usualDistance } from "./series";

/** One state where `low` equals `high`; else a step that holds several, `share` of it in the high one, as far as is known. */
export interface Segment extends Piece {
  from: number;
  to: number;
}

interface Piece {
  low: number;
  high: number;
  share: number;
}

/** The runs of a line of states or of a switch, in order and apart where a gap lies between. */
export function segmentsOf(line: Line, holes: Hole[], intervalMs: number): Segment[] {
  if (line.ends) return runsOf(line, line.ends);
  const mine = holesOfLine(holes, line);
  const usual = usualDistance(line.times, line.stepMs, intervalMs, mine);
  const breaks = breaksOf(line.times, mine, usual);
  const found: Segment[] = [];
  line.times.forEach((from, i) => {
    const piece = pieceAt(line, i);
    if (!piece) return;
    const to = breaks[i] || i + 1 >= line.times.length ? from + usual : line.times[i + 1];
    const before = found[found.length - 1];
    if (before && before.to >= from && continues(before, piece)) before.to = to;
    else found.push({ from, to, ...piece });
  });
  return found;
}

function runsOf(line: Line, ends: number[]): Segment[] {
  return line.times.flatMap((from, i) => {
    const piece = pieceAt(line, i);
    return piece ? [{ from, to: ends[i], ...piece }] : [];
  });
}

function pieceAt(line: Line, i: number): Piece | null {
  const mean = line.mean[i];
  if (mean === null || mean === undefined) return null;
  const low = line.min?.[i] ?? mean;
  const high = line.max?.[i] ?? mean;
  return { low, high, share: low === high ? 1 : Math.min(Math.max((mean - low) / (high - low), 0), 1) };
}

function continues(before: Piece, piece: Piece): boolean {
  return before.low === piece.low && before.high === piece.high && before.share === piece.share;
}

export function isPure({ low, high }: Piece): boolean {
  return low === high;
}

/** The state that lasted for most of it. */
export function dominant({ low, high, share }: Piece): number {
  return share >= 0.5 ? high : low;
}

/** How much of it was in a state that counts. */
export function portion({ low, high, share }: Piece, isOn: (value: number) => boolean): number {
  if (low === high) return isOn(low) ? 1 : 0;
  return (isOn(high) ? share : 0) + (isOn(low) ? 1 - share : 0);
}

export function segmentAt(segments: Segment[], ms: number): Segment | null {
  return segments.find(({ from, to }) => from <= ms && ms < to) ?? null;
}

/** What a switch did: `exact` is false where steps hide how often it changed. */
export interface SwitchStats {
  starts: number;
  share: number;
  longest: number;
  exact: boolean;
}

/** Steps longer than this hide whole runs of a compressor. */
const COARSE_MS = 10 * 60_000;

/** Whether starts and runs are worth telling. */
export function tellsRuns({ exact }: SwitchStats, stepMs: number | null): boolean {
  return exact || (stepMs ?? 0) <= COARSE_MS;
}

/** Starts, share of the time with readings, and longest run of a state within a window. */
export function switchStats(segments: Segment[], from: number, to: number, isOn: (value: number) => boolean): SwitchStats | null {
  let on = 0;
  let all = 0;
  let longest = 0;
  let starts = 0;
  let exact = true;
  let run = 0;
  let before: Segment | null = null;
  for (const segment of segments) {
    const length = Math.min(segment.to, to) - Math.max(segment.from, from);
    if (length <= 0) continue;
    const joined = before !== null && before.to >= segment.from;
    const part = portion(segment, isOn);
    const runs = part >= 0.5;
    const ran = before !== null && joined && portion(before, isOn) >= 0.5;
    if (part > 0 && part < 1) exact = false;
    if (runs && !ran && joined) starts++;
    run = runs ? (ran ? run : 0) + length : 0;
    longest = Math.max(longest, run);
    all += length;
    on += length * part;
    before = segment;
  }
  return all ? { starts, share: on / all, longest, exact } : null;
}

/** The share of each state in the time that one is known for, the longest first. */
export function stateShares(segments: Segment[], from: number, to: number): { value: number; share: number }[] {
  const lengths = new Map<number, number>();
  let all = 0;
  const add = (value: number, length: number) => lengths.set(value, (lengths.get(value) ?? 0) + length);
  for (const segment of segments) {
    const length = Math.min(segment.to, to) - Math.max(segment.from, from);
    if (length <= 0) continue;
    add(segment.high, length * segment.share);
    if (!isPure(segment)) add(segment.low, length * (1 - segment.share));
    all += length;
  }
  return [...lengths].map(([value, length]) => ({ value, share: length / all })).sort((a, b) => b.share - a.share);
}
