// What a stack shows: a chart for each unit, a band for each signal, another day dashed.
import { describe, expect, it } from "vitest";
import type { Sensor, SeriesAnswer } from "../api/types";
import { languageFor } from "../i18n";
import { byName } from "../lib/presets";
import { curveReadout, curveSpread, laneReadout, segmentPaint, stackOf } from "./model";

const english = languageFor(["en-GB"]);
const NONE = { own: [], ghost: [] };
const MINUTE = 60_000;

function sensor(name: string, more: Partial<Sensor>): Sensor {
  const base = { group: "calculations", index: 0, type: "Celsius", kind: "value" as const, unit: "°C", en: null, de: null };
  return { ...base, name, groups: [], codes: null, changes: true, fitted: true, ...more };
}

const known = byName([
  sensor("flow", { en: "Flow" }),
  sensor("return", {}),
  sensor("pressure", { unit: "bar" }),
  sensor("pump", { kind: "switch", unit: "", type: "Bool", en: "Pump" }),
  sensor("state", { kind: "state", unit: "", type: "OperationMode", codes: { 0: "heating", 5: "no request" } }),
]);

const whole = { min: [1, 2], mean: [2, 3], max: [3, 4], count: [6, 6] };
const answer: SeriesAnswer = {
  from: "",
  to: "",
  zone: "UTC",
  interval_s: 10,
  step_ms: MINUTE,
  times: [[0, MINUTE]],
  series: [
    { name: "flow", unit: "°C", t: 0, ...whole },
    { name: "pressure", unit: "bar", t: 0, ...whole },
    { name: "return", unit: "°C", t: 0, ...whole },
    { name: "pump", unit: "", t: 0, min: [0, 1], mean: [0.25, 1], max: [1, 1], count: [6, 6] },
    { name: "state", unit: "", t: 0, min: [0, 5], mean: [2, 5], max: [5, 5], count: [6, 6] },
  ],
  gaps: [],
  steps: [],
  not_fitted: [],
};

describe("a stack", () => {
  const { charts, lanes } = stackOf(answer, null, NONE, known, english);

  it("has a chart for each unit in the order of the sensors, and a band for each signal", () => {
    expect(charts.map(({ unit, curves }) => [unit, curves.map(({ label }) => label)])).toEqual([
      ["°C", ["Flow", "return"]],
      ["bar", ["pressure"]],
    ]);
    expect(lanes.map(({ label }) => label)).toEqual(["Pump", "state"]);
  });

  it("gives each curve of a chart a colour of its own", () => {
    expect(charts[0].curves.map(({ color }) => color)).toEqual(["--curve-1", "--curve-2"]);
  });

  it("reads values at a moment, the newest without one, and none where none is near", () => {
    const [flow] = charts[0].curves;
    expect(curveReadout(flow, 5000, "en-GB", "UTC")).toBe("2.0\u00a0°C");
    expect(curveReadout(flow, null, "en-GB", "UTC")).toBe("3.0\u00a0°C");
    expect(curveReadout(flow, 10 * MINUTE, "en-GB", "UTC")).toBeNull();
    expect(curveSpread(flow, 0, "en-GB")).toBe("1.0 … 3.0");
  });

  it("reads bands: how much of a step a switch was on, both states of a mixed step", () => {
    const [pump, state] = lanes;
    expect(laneReadout(pump, 0, english)).toBe("on 25\u00a0%");
    expect(laneReadout(pump, null, english)).toBe("on");
    expect(laneReadout(state, 0, english)).toBe("Heating / No request");
    expect(laneReadout(state, MINUTE, english)).toBe("No request");
    expect(laneReadout(state, 10 * MINUTE, english)).toBeNull();
  });

  it("paints bands the stronger the longer a switch was on, and states in their own colours", () => {
    const [pump, state] = lanes;
    expect(segmentPaint(pump, pump.segments[0])?.alpha).toBeLessThan(segmentPaint(pump, pump.segments[1])!.alpha);
    expect(segmentPaint(pump, { ...pump.segments[0], low: 0, high: 0 })).toBeNull();
    expect(state.segments.map((segment) => segmentPaint(state, segment)?.color)).toEqual(["--state-heating", "--state-idle"]);
  });

  it("lays another day over in the same colours, dashed, with its date, each band below its own", () => {
    const overlay = { answer, stretches: [{ from: 0, to: 2 * MINUTE, shift: 1000 }], day: "20 Nov" };
    const both = stackOf(answer, overlay, NONE, known, english);
    const flows = both.charts[0].curves.filter(({ line }) => line.name === "flow");
    expect(flows.map(({ label, color, dash }) => [label, color, dash.length > 0])).toEqual([
      ["Flow", "--curve-1", false],
      ["Flow, 20 Nov", "--curve-1", true],
    ]);
    expect(both.lanes.map(({ label }) => label)).toEqual(["Pump", "Pump, 20 Nov", "state", "state, 20 Nov"]);
  });
});
