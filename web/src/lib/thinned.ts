// Which moments a table has room for.
import { type Line, union } from "./series";

const MOST_ROWS = 150;

interface Lines {
  charts: { curves: { line: Line }[] }[];
  lanes: { line: Line }[];
}

/** The newest first; `every` says how many moments stand between two rows. */
export function thinned({ charts, lanes }: Lines, { from, to }: { from: number; to: number }): { rows: number[]; every: number } {
  const lines = [...charts.flatMap(({ curves }) => curves), ...lanes].map(({ line }) => line);
  const own = lines.filter(({ ghost }) => !ghost);
  const times = union([...new Set(own.map(({ times }) => times))]).filter((ms) => ms >= from && ms <= to);
  const every = Math.ceil(times.length / MOST_ROWS) || 1;
  const rows = times.filter((_, i) => (times.length - 1 - i) % every === 0).reverse();
  return { rows, every };
}
