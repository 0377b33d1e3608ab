// Gaps that many tests share.
import type { Gap } from "../api/types";
import { type Hole, holesOf } from "./holes";

export function gapOf(from: number, to: number, more: Partial<Gap> = {}): Gap {
  const iso = (ms: number) => new Date(ms).toISOString();
  return { from: iso(from), to: iso(to), missing: 1, reason: "logger_off", filled: 0, source: "", ...more };
}

export function holeOf(from: number, to: number, more: Partial<Gap> = {}): Hole {
  return holesOf([gapOf(from, to, more)])[0];
}
