// What is painted on a plot beside its curves: gaps, marks of impossible steps, and bands of states.
import type uPlot from "uplot";
import { color } from "../hooks/useTheme";
import type { Hole } from "../lib/series";
import { type Lane, segmentPaint } from "./model";

/** An impossible step that the values leave out. */
export interface Mark {
  ms: number;
  name: string;
  mark: string;
}

/** Sizes of a lane in CSS pixels: its name stands above its band. */
export const LANE = { height: 34, band: 12, top: 18 };

/** Gaps that are narrower than a pixel are notches at the top, so that many short ones do not hide a year. */
const NOTCH = 6;

export function drawHoles(u: uPlot, holes: Hole[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  clip(u);
  for (const { from, to } of inView(u, holes)) {
    const left = u.valToPos(from, "x", true);
    const width = u.valToPos(to, "x", true) - left;
    ctx.fillStyle = color(width < 1 ? "--warn" : "--gap");
    ctx.fillRect(left, bbox.top, Math.max(width, 1), width < 1 ? NOTCH * devicePixelRatio : bbox.height);
  }
  ctx.restore();
}

/** Small triangles at the foot of the plot. */
export function drawMarks(u: uPlot, marks: Mark[]): void {
  const { ctx, bbox } = u;
  const size = 5 * devicePixelRatio;
  const foot = bbox.top + bbox.height;
  ctx.save();
  clip(u);
  ctx.fillStyle = color("--warn");
  for (const { ms } of marks) {
    const x = u.valToPos(ms, "x", true);
    ctx.beginPath();
    ctx.moveTo(x - size, foot);
    ctx.lineTo(x + size, foot);
    ctx.lineTo(x, foot - 1.6 * size);
    ctx.fill();
  }
  ctx.restore();
}

/** The ground of the bands, below the gaps: where nothing is known there is no band. */
export function drawTracks(u: uPlot, lanes: Lane[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = color("--track");
  lanes.forEach((_, i) => ctx.fillRect(bbox.left, laneTop(u, i), bbox.width, LANE.band * devicePixelRatio));
  ctx.restore();
}

function laneTop({ bbox }: uPlot, i: number): number {
  return bbox.top + (i * LANE.height + LANE.top) * devicePixelRatio;
}

export function drawLanes(u: uPlot, lanes: Lane[]): void {
  const { ctx } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  clip(u);
  lanes.forEach((lane, i) => {
    const top = laneTop(u, i);
    for (const segment of inView(u, lane.segments)) {
      const paint = segmentPaint(lane, segment);
      if (!paint) continue;
      const left = u.valToPos(segment.from, "x", true);
      ctx.globalAlpha = paint.alpha;
      ctx.fillStyle = color(paint.color);
      ctx.fillRect(left, top, Math.max(u.valToPos(segment.to, "x", true) - left, 1), LANE.band * ratio);
    }
  });
  ctx.restore();
}

function clip({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function inView<T extends { from: number; to: number }>(u: uPlot, spans: T[]): T[] {
  const { min, max } = u.scales.x;
  return spans.filter(({ from, to }) => to >= (min ?? 0) && from <= (max ?? 0));
}
