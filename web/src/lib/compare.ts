// Laying another day over the window.
import { dayOf, dayText, instantOf, wallAt } from "./zone";

/** How much later the window begins than the same wall time of the other day; null where the text is no day. */
export function compareShift(from: number, day: string, zone: string): number | null {
  const start = dayOf(day, zone);
  if (start === null) return null;
  const { year, month, day: date } = wallAt(start, zone);
  const other = instantOf({ ...wallAt(from, zone), year, month, day: date }, zone) + (from % 1000);
  return from - other;
}

/** The day of the compared values at a moment of the window. */
export function comparedDay(ms: number, shift: number, zone: string): string {
  return dayText(ms - shift, zone);
}
