// Finding and choosing sensors.
import { describe, expect, it } from "vitest";
import type { Sensor, SensorGroup } from "../api/types";
import { MOST_SENSORS, USUAL, byName, presetOf, presetShown, toggled, usualSensors } from "./presets";
import { plain, search, searchable } from "./search";

function sensor(name: string, more: Partial<Sensor> = {}): Sensor {
  const base = { group: "calculations", index: 0, type: "Celsius", kind: "value" as const, unit: "°C" };
  return { ...base, name, en: null, de: null, groups: [], codes: null, changes: true, fitted: true, ...more };
}

const sensors = [
  sensor("calculation_268", { unit: "W" }),
  sensor("ID_WEB_Temperatur_TWE", { en: "Heat source inlet temperature", de: "Wärmequelle Eintrittstemperatur", groups: ["heat-source"] }),
  sensor("ID_WEB_Temperatur_THG", { en: "Hot gas temperature", de: "Heißgastemperatur", groups: ["refrigerant-circuit"] }),
  sensor("ID_WEB_Temperatur_TSK", { en: "Solar", de: "Solar", groups: ["heat-source"], fitted: false }),
  sensor("ID_WEB_VBOout", { en: "Source pump", de: "Quellenpumpe", groups: ["heat-source"], changes: false }),
];
const groups: SensorGroup[] = [
  { key: "heat-source", en: "Heat source", de: "Wärmequelle", sensors: ["ID_WEB_Temperatur_TWE", "ID_WEB_Temperatur_TSK", "ID_WEB_VBOout"] },
  { key: "none", en: "None", de: "Keine", sensors: ["gone"] },
];
const known = byName(sensors);

describe("the search", () => {
  const all = searchable(sensors, groups);
  const names = (query: string) => search(all, query).map(({ name }) => name);

  it("finds labels of both languages without regard to case, accents and ß", () => {
    expect(names("warmequelle EINTRITT")).toEqual(["ID_WEB_Temperatur_TWE"]);
    expect(names("heissgas")).toEqual(["ID_WEB_Temperatur_THG"]);
    expect(names("Heißgas")).toEqual(["ID_WEB_Temperatur_THG"]);
    expect(names("hot gas")).toEqual(["ID_WEB_Temperatur_THG"]);
  });

  it("finds names and groups, labelled ones first", () => {
    expect(names("268")).toEqual(["calculation_268"]);
    expect(names("source")).toEqual(["ID_WEB_Temperatur_TWE", "ID_WEB_Temperatur_TSK", "ID_WEB_VBOout"]);
    expect(names("")).toHaveLength(sensors.length);
    expect(names("").at(-1)).toBe("calculation_268");
    expect(names("nothing")).toEqual([]);
  });

  it("makes the same of what is plain already", () => {
    for (const text of ["Größe", "ÉÈ", "a1_b"]) expect(plain(plain(text))).toBe(plain(text));
  });
});

describe("presets", () => {
  it("leave out what is not fitted, never changes, or is not known", () => {
    expect(presetOf(groups[0], known)).toEqual(["ID_WEB_Temperatur_TWE"]);
    expect(presetOf(groups[1], known)).toEqual([]);
  });

  it("are known again in any order", () => {
    expect(presetShown(["ID_WEB_Temperatur_TWE"], { sensors, groups }, known)).toBe("heat-source");
    expect(presetShown(["calculation_268"], { sensors, groups }, known)).toBeNull();
    expect(presetShown([], { sensors, groups }, known)).toBeNull();
  });

  it("show the usual ones as far as the pump has them", () => {
    expect(usualSensors(known)).toEqual(["ID_WEB_Temperatur_TWE"]);
    const all = byName(USUAL.map((name) => sensor(name, { changes: null })));
    expect(usualSensors(all)).toEqual(USUAL);
    expect(usualSensors(byName([]))).toEqual([]);
  });

  it("stop at the most that may be asked for", () => {
    const many = Array.from({ length: MOST_SENSORS }, (_, i) => `s${i}`);
    expect(toggled(many, "one more")).toBe(many);
    expect(toggled(many, "s3")).toHaveLength(MOST_SENSORS - 1);
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    const wide = { key: "g", en: "", de: "", sensors: many.concat("x", "y") };
    expect(presetOf(wide, byName(wide.sensors.map((name) => sensor(name))))).toHaveLength(MOST_SENSORS);
  });
});
