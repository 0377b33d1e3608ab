// What a stack of charts shows: curves by unit, bands of states, their colours and their readouts.
import type { Sensor, SeriesAnswer } from "../api/types";
import { type Language, sensorLabel, stateLabel } from "../i18n";
import { type Stretch, movedLines } from "../lib/compare";
import { numberText, percentText, valueText } from "../lib/format";
import { type Hole, type Holes, NEAR_MS, commonHoles, holeAt, holesOfLine } from "../lib/holes";
import { curveStyle, signalColor, stateColor } from "../lib/palette";
import { isSignal } from "../lib/presets";
import { type Segment, dominant, isPure, portion, segmentAt, segmentsOf } from "../lib/segments";
import { type Columns, type Line, columnsOf, linesOf, placeAt, usualDistance } from "../lib/series";

/** One curve with what a person needs to know it. */
export interface Curve {
  line: Line;
  sensor: Sensor | undefined;
  label: string;
  color: string;
  dash: number[];
  /** How far from a moment a value may lie to stand for it. */
  reach: number;
  /** What is missing of it, and what was filled. */
  holes: Hole[];
}

export interface Chart {
  key: string;
  unit: string;
  isTime: boolean;
  curves: Curve[];
  columns: Columns;
  /** What is missing of all its curves, and what was filled of some. */
  holes: Hole[];
}

export interface Lane {
  line: Line;
  sensor: Sensor | undefined;
  label: string;
  segments: Segment[];
  holes: Hole[];
}

export interface Stack {
  charts: Chart[];
  lanes: Lane[];
  /** What is missing of all that is shown, and what was filled of some. */
  holes: Hole[];
}

/** What is laid over: another answer, where its parts stand in the window, and what its day is called. */
export interface Overlay {
  answer: SeriesAnswer;
  stretches: Stretch[];
  day: string;
}

const GHOST_DASH = [5, 4];

export function stackOf(
  answer: SeriesAnswer,
  overlay: Overlay | null,
  holes: Holes,
  known: Map<string, Sensor>,
  language: Language,
): Stack {
  const interval = answer.interval_s * 1000;
  const lines = [...linesOf(answer), ...(overlay ? movedLines(linesOf(overlay.answer), overlay.stretches) : [])];
  const labelOf = (line: Line) => {
    const label = sensorLabel(known.get(line.name), line.name, language);
    return line.ghost && overlay ? `${label}, ${overlay.day}` : label;
  };
  const byUnit = new Map<string, Line[]>();
  const lanes: Lane[] = [];
  for (const line of lines) {
    const sensor = known.get(line.name);
    if (isSignal(sensor)) {
      const mine = line.ghost ? holes.ghost : holes.own;
      lanes.push({ line, sensor, label: labelOf(line), segments: segmentsOf(line, mine, interval), holes: holesOfLine(mine, line) });
      continue;
    }
    const key = sensor?.type === "Timestamp" ? "time" : line.unit;
    byUnit.set(key, [...(byUnit.get(key) ?? []), line]);
  }
  const charts = [...byUnit].map(([key, each]) => chartOf(key, each, holes, interval, known, labelOf));
  const own = [...charts.flatMap(({ curves }) => curves), ...lanes].filter(({ line }) => !line.ghost);
  return { charts, lanes: beside(lanes), holes: commonHoles(holes.own, own.map((each) => each.holes)) };
}

/** A lane of another day stands below its own. */
function beside(lanes: Lane[]): Lane[] {
  const order = [...new Set(lanes.map(({ line }) => line.name))];
  return [...lanes].sort((a, b) => order.indexOf(a.line.name) - order.indexOf(b.line.name));
}

function chartOf(
  key: string,
  lines: Line[],
  holes: Holes,
  interval: number,
  known: Map<string, Sensor>,
  labelOf: (line: Line) => string,
): Chart {
  const names = [...new Set(lines.map(({ name }) => name))];
  const curves = lines.map((line): Curve => {
    const sensor = known.get(line.name);
    const style = curveStyle(names.indexOf(line.name));
    const mine = holesOfLine(line.ghost ? holes.ghost : holes.own, line, sensor?.kind === "counter");
    const reach = 1.5 * usualDistance(line.times, line.stepMs, interval, mine);
    return { line, sensor, label: labelOf(line), color: style.color, dash: line.ghost ? GHOST_DASH : style.dash, reach, holes: mine };
  });
  const own = curves.filter(({ line }) => !line.ghost).map((curve) => curve.holes);
  const [{ unit }] = lines;
  return { key, unit, isTime: key === "time", curves, columns: columnsOf(lines, holes, interval), holes: commonHoles(holes.own, own) };
}

/** The value of a curve at a moment (the newest where there is none) as text; null in a gap. */
export function curveReadout(curve: Curve, ms: number | null, locale: string, zone: string): string | null {
  const { line, sensor } = curve;
  const i = ms === null ? lastValue(line) : valueAt(curve, ms);
  const value = i < 0 ? null : line.mean[i];
  if (value === null || value === undefined) return null;
  return valueText(value, line.unit, sensor?.type ?? "", locale, zone);
}

/** The least and the greatest value of the step at a moment; null at full resolution. */
export function curveSpread(curve: Curve, ms: number | null, locale: string): string | null {
  const { line } = curve;
  const i = ms === null ? -1 : valueAt(curve, ms);
  const low = line.min?.[i];
  const high = line.max?.[i];
  if (low === null || low === undefined || high === null || high === undefined || low === high) return null;
  return `${numberText(low, line.unit, locale)} \u2026 ${numberText(high, line.unit, locale)}`;
}

/** The place of the value for a moment; one of the log stands for a minute. */
function valueAt({ line, reach, holes }: Curve, ms: number): number {
  return placeAt(line, ms, holeAt(holes, ms)?.isFilled ? Math.max(reach, NEAR_MS) : reach);
}

function lastValue(line: Line): number {
  for (let i = line.times.length - 1; i >= 0; i--) if (line.mean[i] !== null) return i;
  return -1;
}

/** The state of a lane at a moment (the newest where there is none) as text; null in a gap. */
export function laneReadout({ segments, sensor }: Lane, ms: number | null, language: Language): string | null {
  const segment = ms === null ? segments[segments.length - 1] : segmentAt(segments, ms);
  if (!segment) return null;
  if (isPure(segment)) return stateLabel(sensor, segment.low, language);
  if (sensor?.kind === "switch") return `${language.t("now.on")} ${percentText(segment.share, language.locale)}`;
  return `${stateLabel(sensor, segment.low, language)} / ${stateLabel(sensor, segment.high, language)}`;
}

/** The custom property that colours a segment, and how strongly; null for a switch that is off. */
export function segmentPaint({ sensor, line }: Lane, segment: Segment): { color: string; alpha: number } | null {
  const strength = line.ghost ? 0.55 : 1;
  if (sensor?.kind === "switch") {
    const on = portion(segment, (value) => value !== 0);
    return on > 0 ? { color: signalColor(line.name), alpha: (0.25 + 0.75 * on) * strength } : null;
  }
  const value = dominant(segment);
  return { color: stateColor(sensor?.codes?.[String(value)], value), alpha: strength };
}
