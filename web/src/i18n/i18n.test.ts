// Both languages say the same, and the browser's list decides.
import { describe, expect, it } from "vitest";
import type { Sensor } from "../api/types";
import { languageFor, markLabel, reasonLabel, sensorLabel, stateLabel } from ".";
import { de } from "./de";
import { en } from "./en";

const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("the languages", () => {
  it("have the same texts with the same places to fill", () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect([key, places(de[key])]).toEqual([key, places(en[key])]);
  });

  it("are chosen by the first that the page speaks", () => {
    expect(languageFor(["fr-FR", "de-AT", "en"])).toMatchObject({ code: "de", locale: "de-AT" });
    expect(languageFor(["en-US", "de"])).toMatchObject({ code: "en", locale: "en-US" });
    expect(languageFor(["fr"])).toMatchObject({ code: "en", locale: "en-GB" });
    expect(languageFor([])).toMatchObject({ code: "en" });
  });

  it("fill places", () => {
    expect(languageFor(["de"]).t("now.ago", { span: "3 s" })).toBe("vor 3 s");
  });
});

describe("words for values", () => {
  const german = languageFor(["de"]);
  const state = { kind: "state", codes: { 0: "heating", 5: "no request", 9: "something new" }, en: "Operating state", de: null } as unknown as Sensor;

  it("are those of the trade where the text is known, else the text", () => {
    expect(stateLabel(state, 5, german)).toBe("Keine Anforderung");
    expect(stateLabel(state, 0, languageFor(["en"]))).toBe("Heating");
    expect(stateLabel(state, 9, german)).toBe("Something new");
    expect(stateLabel(state, 77, german)).toBe("77");
    expect(stateLabel({ ...state, kind: "switch", codes: null }, 1, german)).toBe("an");
  });

  it("fall back to names and keys", () => {
    expect(sensorLabel(state, "ID_X", german)).toBe("ID_X");
    expect(sensorLabel(undefined, "ID_X", german)).toBe("ID_X");
    expect(reasonLabel("disk", german)).toBe("der Speicher war voll");
    expect(reasonLabel("meteor", german)).toBe("meteor");
    expect(markLabel("jump", german)).toBe("Sprung");
  });
});
