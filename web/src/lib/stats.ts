// Minimum, mean and maximum of a line within a window.
import { type Hole, RECORD_MS } from "./holes";
import type { Line } from "./series";

export interface LineStats {
  min: number;
  mean: number;
  max: number;
  last: number;
  count: number;
}

/** Every reading counts the same, also where the line has steps, and a record of the log as the polls that it stands for;
 * null where the window has none. */
export function lineStats(line: Line, from: number, to: number, holes: Hole[] = []): LineStats | null {
  const pollsFor = pollsOf(holes, line.stepMs ?? 0);
  let found: LineStats | null = null;
  let sum = 0;
  line.times.forEach((ms, i) => {
    const mean = line.mean[i];
    if (ms < from || ms > to || mean === null || mean === undefined) return;
    const weight = (line.count?.[i] ?? 1) * pollsFor(ms);
    const low = line.min?.[i] ?? mean;
    const high = line.max?.[i] ?? mean;
    found ??= { min: low, mean, max: high, last: mean, count: 0 };
    found.min = Math.min(found.min, low);
    found.max = Math.max(found.max, high);
    found.last = mean;
    found.count += weight;
    sum += mean * weight;
  });
  return finished(found, sum);
}

/** How many polls a value at each of rising moments stands for; a step that has readings too is no record. */
function pollsOf(holes: Hole[], step: number): (ms: number) => number {
  const filled = holes.filter(({ isFilled }) => isFilled);
  let next = 0;
  return (ms) => {
    while (next < filled.length && filled[next].whole.to < ms + Math.max(step, 1)) next++;
    const hole = filled[next];
    return hole && hole.whole.from < ms ? Math.max(RECORD_MS / hole.pollMs, 1) : 1;
  };
}

function finished(found: LineStats | null, sum: number): LineStats | null {
  return found && found.count ? { ...found, mean: sum / found.count } : found;
}
