// What the first screen says: the newest reading as a few facts.
import type { Latest, Sensor } from "../api/types";
import type { Key } from "../i18n";

export const STATE = "ID_WEB_WP_BZ_akt";
/** The controller's status line: for (0) or in (1) how many seconds. */
const STATUS_WORD = "ID_WEB_HauptMenuStatus_Zeile2";
const STATUS_TIME = "ID_WEB_HauptMenuStatus_Zeit";
const ERROR_SLOTS = 5;

/** `second` is what stands small below: the target, or the mean. */
interface Place {
  key: Key;
  name: string;
  second?: { key: Key; name: string };
  optional?: boolean;
}

export const PLACES: Place[] = [
  { key: "now.flow", name: "ID_WEB_Temperatur_TVL" },
  { key: "now.return", name: "ID_WEB_Temperatur_TRL", second: { key: "now.target", name: "ID_WEB_Sollwert_TRL_HZ" } },
  { key: "now.outdoor", name: "ID_WEB_Temperatur_TA", second: { key: "now.mean", name: "ID_WEB_Mitteltemperatur" } },
  { key: "now.hotWater", name: "ID_WEB_Temperatur_TBW", second: { key: "now.target", name: "ID_WEB_Einst_BWS_akt" } },
  { key: "now.sourceIn", name: "ID_WEB_Temperatur_TWE" },
  { key: "now.sourceOut", name: "ID_WEB_Temperatur_TWA" },
];

interface Lamp {
  key: Key;
  name: string;
  /** Shown only while it is on: most houses do not have it. */
  rare?: boolean;
}

export const LAMPS: Lamp[] = [
  { key: "switch.VD1", name: "ID_WEB_VD1out" },
  { key: "switch.VD2", name: "ID_WEB_VD2out", rare: true },
  { key: "switch.HUP", name: "ID_WEB_HUPout" },
  { key: "switch.BUP", name: "ID_WEB_BUPout" },
  { key: "switch.VBO", name: "ID_WEB_VBOout" },
  { key: "switch.ZUP", name: "ID_WEB_ZUPout", rare: true },
  { key: "switch.ZIP", name: "ID_WEB_ZIPout", rare: true },
  { key: "switch.FP2", name: "ID_WEB_FP2out", rare: true },
  { key: "switch.AV", name: "ID_WEB_AVout", rare: true },
  { key: "switch.ZW1", name: "ID_WEB_ZW1out", rare: true },
];

/** The sensors that the first screen needs, as far as the pump has them. */
export function overviewSensors(known: Map<string, Sensor>): string[] {
  const names = [STATE, STATUS_WORD, STATUS_TIME];
  for (const { name, second } of PLACES) names.push(name, ...(second ? [second.name] : []));
  for (const { name } of LAMPS) names.push(name);
  for (let slot = 0; slot < ERROR_SLOTS; slot++) names.push(`ID_WEB_ERROR_Nr${slot}`, `ID_WEB_ERROR_Time${slot}`);
  return names.filter((name) => known.has(name));
}

/** A lamp is shown if it is on, or if it is common or known to change. */
export function shownLamps({ values }: Latest, known: Map<string, Sensor>): { key: Key; name: string; on: boolean }[] {
  return LAMPS.filter(({ name, rare }) => {
    const value = values[name];
    return value !== null && value !== undefined && (!rare || value !== 0 || known.get(name)?.changes === true);
  }).map(({ key, name }) => ({ key, name, on: values[name] !== 0 }));
}

/** How long the pump's status has lasted or will yet take, in milliseconds. */
export function statusSpan({ values }: Latest): { isAhead: boolean; ms: number } | null {
  const seconds = values[STATUS_TIME];
  const word = values[STATUS_WORD];
  if (seconds === null || seconds === undefined || word === null || word === undefined || seconds <= 0) return null;
  return { isAhead: word === 1, ms: seconds * 1000 };
}

/** The newest error that the controller remembers; `ms` is when. */
export function lastError({ values }: Latest): { name: string; code: number; ms: number } | null {
  let found: { name: string; code: number; ms: number } | null = null;
  for (let slot = 0; slot < ERROR_SLOTS; slot++) {
    const name = `ID_WEB_ERROR_Nr${slot}`;
    const code = values[name];
    const ms = (values[`ID_WEB_ERROR_Time${slot}`] ?? 0) * 1000;
    if (code && ms > 0 && (!found || ms > found.ms)) found = { name, code, ms };
  }
  return found;
}
