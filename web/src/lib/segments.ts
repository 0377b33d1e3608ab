// Runs of one state, as coloured bands show them and as statistics count them.
import { type Hole, type Line, breaksOf, usualDistance } from "./series";

/** `value` null: the step holds several; `share` is how much of it a switch was on. */
export interface Segment {
  from: number;
  to: number;
  value: number | null;
  share: number;
}

/** The runs of a line of states or of a switch, in order and apart where a gap lies between. */
export function segmentsOf(line: Line, holes: Hole[], intervalMs: number): Segment[] {
  const usual = usualDistance(line.times, line.stepMs, intervalMs);
  const breaks = breaksOf(line.times, holes, usual);
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

function pieceAt(line: Line, i: number): { value: number | null; share: number } | null {
  const mean = line.mean[i];
  if (mean === null || mean === undefined) return null;
  const low = line.min?.[i] ?? mean;
  const high = line.max?.[i] ?? mean;
  if (low === high) return { value: low, share: low ? 1 : 0 };
  return { value: null, share: Math.min(Math.max(mean, 0), 1) };
}

function continues(before: Segment, piece: { value: number | null; share: number }): boolean {
  return before.value === piece.value && (piece.value !== null || before.share === piece.share);
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
    const runs = segment.value === null ? segment.share >= 0.5 : isOn(segment.value);
    const ran = before !== null && joined && (before.value === null ? before.share >= 0.5 : isOn(before.value));
    if (segment.value === null) exact = false;
    if (runs && !ran && joined) starts++;
    run = runs ? (ran ? run : 0) + length : 0;
    longest = Math.max(longest, run);
    all += length;
    on += segment.value === null ? length * segment.share : runs ? length : 0;
    before = segment;
  }
  return all ? { starts, share: on / all, longest, exact } : null;
}

/** The share of each state in the time that one is known for, the longest first. */
export function stateShares(segments: Segment[], from: number, to: number): { value: number; share: number }[] {
  const lengths = new Map<number, number>();
  let all = 0;
  for (const { from: start, to: end, value } of segments) {
    const length = Math.min(end, to) - Math.max(start, from);
    if (value === null || length <= 0) continue;
    lengths.set(value, (lengths.get(value) ?? 0) + length);
    all += length;
  }
  return [...lengths].map(([value, length]) => ({ value, share: length / all })).sort((a, b) => b.share - a.share);
}
