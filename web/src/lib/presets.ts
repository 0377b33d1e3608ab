// Which sensors are shown: the usual ones, those of a group, and the most that a request may ask for.
import type { Sensor, SensorGroup, Sensors } from "../api/types";

export const MOST_SENSORS = 40;

/** What the first visit shows, as far as the pump has it. */
export const USUAL = [
  "ID_WEB_Temperatur_TVL",
  "ID_WEB_Temperatur_TRL",
  "ID_WEB_Temperatur_TA",
  "ID_WEB_Temperatur_TBW",
  "ID_WEB_Temperatur_TWE",
  "ID_WEB_Temperatur_TWA",
  "ID_WEB_WP_BZ_akt",
  "ID_WEB_VD1out",
  "ID_WEB_HUPout",
  "ID_WEB_BUPout",
  "ID_WEB_VBOout",
  "ID_WEB_AVout",
  "ID_WEB_EVUin",
];

/** Shown whatever they do; other signals only if they ever change. */
const ALWAYS = 9;

export function byName(sensors: Sensor[]): Map<string, Sensor> {
  return new Map(sensors.map((sensor) => [sensor.name, sensor]));
}

export function usualSensors(known: Map<string, Sensor>): string[] {
  return USUAL.filter((name, i) => {
    const sensor = known.get(name);
    return sensor?.fitted && (i < ALWAYS || sensor.changes !== false);
  });
}

/** The sensors of a group that a curve or a band says something of, no more than may be asked for; moments make none. */
export function presetOf(group: SensorGroup, known: Map<string, Sensor>): string[] {
  return group.sensors
    .filter((name) => {
      const sensor = known.get(name);
      return sensor && sensor.fitted && sensor.changes !== false && sensor.type !== "Timestamp";
    })
    .slice(0, MOST_SENSORS);
}

/** Without it where it is chosen, else with it at the end, as long as there is room. */
export function toggled(chosen: string[], name: string): string[] {
  if (chosen.includes(name)) return chosen.filter((each) => each !== name);
  return chosen.length < MOST_SENSORS ? [...chosen, name] : chosen;
}

/** The group whose preset is just what is chosen. */
export function presetShown(chosen: string[], { groups }: Sensors, known: Map<string, Sensor>): string | null {
  const key = [...chosen].sort().join();
  return groups.find((group) => chosen.length && presetOf(group, known).sort().join() === key)?.key ?? null;
}

export function isSignal(sensor: Sensor | undefined): boolean {
  return sensor?.kind === "switch" || sensor?.kind === "state";
}
