// The language of the page: chosen by the browser's list, with texts that have places to fill.
import type { Sensor, SensorGroup } from "../api/types";
import { codeText } from "./codes";
import { de } from "./de";
import { type Key, en } from "./en";

export type { Key } from "./en";
export type Fill = Record<string, string | number>;

/** Texts of one language; `locale` is the browser's own for numbers and dates, such as de-AT. */
export interface Language {
  code: "en" | "de";
  locale: string;
  t: (key: Key, fill?: Fill) => string;
}

/** The first of a person's languages that the page speaks, English where it speaks none. */
export function languageFor(wanted: readonly string[]): Language {
  const locale = wanted.find((tag) => /^(de|en)\b/i.test(tag)) ?? "en-GB";
  const code = /^de/i.test(locale) ? "de" : "en";
  const texts = code === "de" ? de : en;
  return { code, locale, t: (key, fill) => filled(texts[key], fill) };
}

export function filled(text: string, fill: Fill = {}): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(fill[name] ?? place));
}

/** What a sensor is called; one without a label goes by its name. */
export function sensorLabel(sensor: Sensor | undefined, name: string, { code }: Language): string {
  return sensor?.[code] ?? name;
}

export function groupLabel(group: SensorGroup, { code }: Language): string {
  return group[code];
}

/** The words for a value of a state or a switch. */
export function stateLabel(sensor: Sensor | undefined, value: number, language: Language): string {
  const text = sensor?.codes?.[String(value)];
  if (text !== undefined && sensor?.kind !== "switch") return codeText(text, language.code === "de");
  if (sensor?.kind === "switch") return language.t(value ? "now.on" : "now.off");
  return String(value);
}

/** Why readings are missing; a reason that is new to the page as it is. */
export function reasonLabel(reason: string, language: Language): string {
  return known(`reason.${reason}`, reason, language);
}

/** How many missing polls have a row from elsewhere, and from where; a source that is new to the page as it is. */
export function filledLabel(count: string, source: string, language: Language): string {
  const text = known(`source.${source}`, `{count} ${source}`, language);
  return filled(text, { count });
}

/** What kind of impossible step was left out. */
export function markLabel(mark: string, language: Language): string {
  return known(`mark.${mark}`, mark, language);
}

function known(key: string, otherwise: string, { t }: Language): string {
  return key in en ? t(key as Key) : otherwise;
}
