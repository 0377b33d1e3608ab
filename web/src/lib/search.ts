// Finding sensors by what a person types: name, English or German label, group.
import type { Sensor, SensorGroup } from "../api/types";

/** Lower case without accents, so that `warme` finds `Wärme`. */
export function plain(text: string): string {
  return text.toLowerCase().replaceAll("ß", "ss").normalize("NFD").replace(/\p{M}/gu, "");
}

export interface Searchable {
  sensor: Sensor;
  text: string;
}

export function searchable(sensors: Sensor[], groups: SensorGroup[]): Searchable[] {
  const titles = new Map(groups.map(({ key, en, de }) => [key, `${en} ${de}`]));
  return sensors.map((sensor) => {
    const words = [sensor.name, sensor.en, sensor.de, sensor.unit, ...sensor.groups.map((key) => titles.get(key))];
    return { sensor, text: plain(words.filter(Boolean).join(" ")) };
  });
}

/** The sensors that have every word of the query, those with a label first. */
export function search(all: Searchable[], query: string): Sensor[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const found = all.filter(({ text }) => words.every((word) => text.includes(word))).map(({ sensor }) => sensor);
  return [...found.filter(({ en }) => en), ...found.filter(({ en }) => !en)];
}
