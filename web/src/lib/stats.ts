// Minimum, mean and maximum of a line within a window.
import type { Line } from "./series";

export interface LineStats {
  min: number;
  mean: number;
  max: number;
  last: number;
  count: number;
}

/** Every reading counts the same, also where the line has steps; null where the window has none. */
export function lineStats(line: Line, from: number, to: number): LineStats | null {
  let found: LineStats | null = null;
  let sum = 0;
  line.times.forEach((ms, i) => {
    const mean = line.mean[i];
    if (ms < from || ms > to || mean === null || mean === undefined) return;
    const weight = line.count?.[i] ?? 1;
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

function finished(found: LineStats | null, sum: number): LineStats | null {
  return found && found.count ? { ...found, mean: sum / found.count } : found;
}
