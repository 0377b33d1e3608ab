// How uPlot is set up for curves and for bands: axes in the logger's zone, one width for all, no scale of its own.
import type uPlot from "uplot";
import { color } from "../hooks/useTheme";
import { dayShort, minuteTime, numberText, shortDuration } from "../lib/format";
import { type Ticks, tickLabels, ticks } from "../lib/ticks";
import type { Chart } from "./model";

/** Space left and right of every plot in CSS pixels, so that the charts of a stack share one axis. */
export const SIDE = { left: 54, right: 20 };
const FOOT = 38;
const FONT = "11px system-ui, sans-serif";
/** A label of the time axis needs about so many CSS pixels. */
const TICK_WIDTH = 64;
/** Round spans for an axis of seconds. */
const SECONDS = [1, 2, 5, 10, 30]
  .concat([1, 2, 5, 10, 30].map((minutes) => minutes * 60))
  .concat([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000].map((hours) => hours * 3600));

export interface Frame {
  width: number;
  height: number;
  zone: string;
  locale: string;
  hooks: uPlot.Hooks.Arrays;
  onDoubleClick: () => void;
}

export function curveOptions(chart: Chart, frame: Frame): uPlot.Options {
  const styles = chart.columns.columns.map(({ line, part }) => {
    const curve = chart.curves.find((each) => each.line === line)!;
    return part === "mean" ? meanSeries(color(curve.color), curve.dash, line.ghost) : edgeSeries();
  });
  const bands = chart.columns.columns.flatMap(({ line, part }, i): uPlot.Band[] => {
    const curve = chart.curves.find((each) => each.line === line)!;
    return part === "max" ? [{ series: [i + 1, i + 2], fill: withAlpha(color(curve.color), 0.2) }] : [];
  });
  return {
    ...common(frame),
    scales: { x: timeScale(), y: { range: { min: { pad: 0.08, soft: 0, mode: 3 }, max: { pad: 0.08, soft: 0, mode: 3 } } } },
    axes: [timeAxis(frame), valueAxis(chart, frame)],
    series: [{}, ...styles],
    bands,
  };
}

export function laneOptions(frame: Frame): uPlot.Options {
  return {
    ...common(frame),
    padding: [0, SIDE.right, 0, SIDE.left],
    scales: { x: timeScale(), y: { auto: false, range: [0, 1] } },
    axes: [timeAxis(frame), { show: false }],
    series: [{}, { paths: () => null, points: { show: false } }],
  };
}

export function footHeight(): number {
  return FOOT;
}

function common({ width, height, hooks, onDoubleClick }: Frame): Omit<uPlot.Options, "series"> {
  return {
    width,
    height,
    ms: 1,
    padding: [8, SIDE.right, 0, 0],
    legend: { show: false },
    hooks,
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 8 },
      points: { size: 6, width: 0, fill: (u, i) => cursorFill(u, i) },
      bind: {
        mousedown: (_u, _target, handler) => (event) => {
          if (!event.shiftKey) handler(event);
          return null;
        },
        dblclick: () => () => {
          onDoubleClick();
          return null;
        },
      },
    },
  };
}

function cursorFill(u: uPlot, i: number): string {
  const { stroke, width } = u.series[i];
  return width && typeof stroke === "function" ? String(stroke(u, i)) : "transparent";
}

function timeScale(): uPlot.Scale {
  return { time: false, auto: false };
}

function meanSeries(stroke: string, dash: number[], isGhost: boolean): uPlot.Series {
  return {
    stroke,
    dash,
    width: isGhost ? 1.25 : 1.6,
    points: { show: (u, _i, from, to) => (to - from) * 8 < u.bbox.width / devicePixelRatio, size: 4 },
  };
}

/** The edges of the band between least and greatest are not drawn themselves. */
function edgeSeries(): uPlot.Series {
  return { stroke: "transparent", width: 0, points: { show: false } };
}

function timeAxis({ zone, locale, width }: Frame): uPlot.Axis {
  let shown: Ticks = { at: [], unit: "ms", size: 0 };
  return {
    ...lines(),
    size: FOOT,
    gap: 4,
    splits: (_u, _i, min, max) => {
      shown = ticks(min, max, zone, (width - SIDE.left) / TICK_WIDTH);
      return shown.at;
    },
    values: () => tickLabels(shown, zone, locale),
  };
}

function valueAxis(chart: Chart, { locale, zone }: Frame): uPlot.Axis {
  return {
    ...lines(),
    size: SIDE.left,
    gap: 4,
    ...(chart.unit === "s" && !chart.isTime ? { incrs: SECONDS } : {}),
    values: (_u, splits) => splits.map((value) => axisText(value, splits, chart, locale, zone)),
  };
}

function axisText(value: number, splits: number[], { unit, isTime }: Chart, locale: string, zone: string): string {
  if (isTime) return momentText(value * 1000, splits, locale, zone);
  if (unit === "s") return shortDuration(value, locale);
  const isWhole = splits.every((each) => Number.isInteger(each));
  return numberText(value, isWhole ? "" : unit, locale);
}

/** The day where marks are days apart, else the time of day. */
function momentText(ms: number, splits: number[], locale: string, zone: string): string {
  const distance = (splits[1] ?? 0) - (splits[0] ?? 0);
  return distance > 20 * 3600 ? dayShort(ms, locale, zone) : minuteTime(ms, locale, zone);
}

function lines(): uPlot.Axis {
  return {
    stroke: color("--text-soft"),
    font: FONT,
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { stroke: color("--grid"), width: 1, size: 4 },
  };
}

/** A colour such as #aabbcc, partly seen through. */
export function withAlpha(hex: string, alpha: number): string {
  const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** Whole numbers from zero, over time. */
export function depthOptions(frame: Frame): uPlot.Options {
  const stroke = color("--curve-1");
  return {
    ...common(frame),
    scales: { x: timeScale(), y: { range: (_u, _min, max) => [0, Math.max(max * 1.1, 4)] } },
    axes: [timeAxis(frame), { ...lines(), size: SIDE.left, gap: 4, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] }],
    series: [{}, { stroke, width: 1.5, fill: withAlpha(stroke, 0.15), points: { show: false } }],
  };
}
