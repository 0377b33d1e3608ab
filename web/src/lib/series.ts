// Answers of /api/series as lines to draw, and lines as the columns that uPlot wants.
import type { RawSeries, SeriesAnswer } from "../api/types";
import { type Hole, type Holes, RECORD_MS, holesOfLine } from "./holes";

/** One sensor's values over time. `min` and `max` only where the data is reduced to steps. */
export interface Line {
  name: string;
  unit: string;
  times: number[];
  mean: (number | null)[];
  min: (number | null)[] | null;
  max: (number | null)[] | null;
  count: number[] | null;
  /** Where the runs of a state end that begin at `times`; null where there is a value a reading or step. */
  ends: number[] | null;
  /** The length of a step, null at full resolution. */
  stepMs: number | null;
  /** Laid over from another day. */
  ghost: boolean;
}

export type Cell = number | null | undefined;
export type Part = "mean" | "min" | "max";

/** What one chart shows: rising times and a column for each part of each line. */
export interface Columns {
  times: number[];
  columns: { line: Line; part: Part; cells: Cell[] }[];
}

export function linesOf({ series, times, step_ms }: SeriesAnswer): Line[] {
  return series.map((each) => line(each, times[each.t], step_ms));
}

function line(series: RawSeries, times: number[], stepMs: number | null): Line {
  const reduced = series.mean !== undefined;
  return {
    name: series.name,
    unit: series.unit,
    times,
    mean: (reduced ? series.mean : series.values) ?? [],
    min: reduced ? (series.min ?? null) : null,
    max: reduced ? (series.max ?? null) : null,
    count: reduced ? (series.count ?? null) : null,
    ends: series.ends ?? null,
    stepMs: reduced ? stepMs : null,
    ghost: false,
  };
}

/** Whether a step stands for several readings somewhere; short steps hold one each. */
export function isReduced({ series }: SeriesAnswer): boolean {
  return series.some(({ count }) => count?.some((n) => n > 1));
}

/** The distance of neighbours that is usual outside of what was filled: the median, no less than a step or the interval
 * of polling, the longer one. */
export function usualDistance(times: number[], stepMs: number | null, intervalMs: number, holes: Hole[] = []): number {
  const least = Math.max(stepMs ?? 0, intervalMs);
  const filled = holes.filter(({ isFilled }) => isFilled);
  const most = 500;
  const every = Math.max(1, Math.floor(times.length / most));
  const distances: number[] = [];
  let next = 0;
  for (let i = 1; i < times.length; i += every) {
    while (next < filled.length && filled[next].to <= times[i - 1]) next++;
    if (next === filled.length || filled[next].from >= times[i]) distances.push(times[i] - times[i - 1]);
  }
  if (distances.length < 2) return least;
  distances.sort((a, b) => a - b);
  return Math.max(distances[(distances.length - 1) >> 1], least);
}

/** Whether the curve must not go on from each moment to the next: a gap lies there, or far too much time. */
export function breaksOf(times: number[], holes: Hole[], usual: number): boolean[] {
  let next = 0;
  return times.map((ms, i) => {
    if (i + 1 >= times.length) return false;
    const distance = times[i + 1] - ms;
    while (next < holes.length && holes[next].to <= ms) next++;
    let isFilled = false;
    let isMissing = false;
    for (let n = next; n < holes.length && holes[n].from < times[i + 1]; n++) {
      isFilled ||= holes[n].isFilled;
      isMissing ||= !holes[n].isFilled;
    }
    return distance > 3.5 * (isFilled ? Math.max(usual, RECORD_MS) : usual) || (isMissing && distance > 1.5 * usual);
  });
}

/** The lines of one chart side by side; a gap becomes a null, a moment that a line does not have `undefined`. */
export function columnsOf(lines: Line[], holes: Holes, intervalMs: number): Columns {
  const broken = new Map<number[], { times: number[]; from: number[] }>();
  for (const line of lines) {
    const { times, stepMs } = line;
    if (broken.has(times)) continue;
    const mine = holesOfLine(line.ghost ? holes.ghost : holes.own, line);
    broken.set(times, withBreaks(times, mine, usualDistance(times, stepMs, intervalMs, mine)));
  }
  const tables = [...broken.values()];
  const times = tables.length === 1 ? tables[0].times : union(tables.map((table) => table.times));
  const columns = lines.flatMap((line) => {
    const table = broken.get(line.times)!;
    return parts(line).map((part) => ({ line, part, cells: spread(times, table, line[part]!) }));
  });
  return { times, columns };
}

/** Maximum and minimum first: uPlot draws the band between two columns that stand before the mean. */
function parts(line: Line): Part[] {
  return line.min && line.max && !line.ghost ? ["max", "min", "mean"] : ["mean"];
}

/** The times with one more in each break; `from` says which value belongs to each, -1 for a break. */
function withBreaks(times: number[], holes: Hole[], usual: number): { times: number[]; from: number[] } {
  const breaks = breaksOf(times, holes, usual);
  const found = { times: [] as number[], from: [] as number[] };
  times.forEach((ms, i) => {
    found.times.push(ms);
    found.from.push(i);
    if (breaks[i]) {
      found.times.push(ms + 1);
      found.from.push(-1);
    }
  });
  return found;
}

function spread(times: number[], table: { times: number[]; from: number[] }, values: (number | null)[]): Cell[] {
  if (table.times === times) return table.from.map((i) => (i < 0 ? null : values[i]));
  let next = 0;
  let inBreak = false;
  return times.map((ms) => {
    // uPlot ends a gap at the next moment of the axis, whosever it is, so all in the gap must be null.
    if (table.times[next] !== ms) return inBreak ? null : undefined;
    const i = table.from[next++];
    inBreak = i < 0;
    return inBreak ? null : values[i];
  });
}

/** All moments of several rising lists, each once. */
export function union(lists: number[][]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** The place of the moment that is nearest, -1 in an empty list. */
export function nearest(times: number[], ms: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < ms) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && ms - times[low - 1] <= times[low] - ms) return low - 1;
  return times.length ? low : -1;
}

/** The place of the value that stands at a moment, -1 where none is near enough. */
export function placeAt(line: Line, ms: number, reach: number): number {
  const i = nearest(line.times, ms);
  return i >= 0 && Math.abs(line.times[i] - ms) <= reach ? i : -1;
}
