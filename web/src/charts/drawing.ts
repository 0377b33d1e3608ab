// What is painted on a plot beside its curves: gaps, marks of impossible steps, and bands of states.
import type uPlot from "uplot";
import { color } from "../hooks/useTheme";
import type { Hole } from "../lib/holes";
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
/** How far the lines of a hatched ground lie apart in CSS pixels. */
const HATCH = 8;

export function drawHoles(u: uPlot, holes: Hole[], row?: { top: number; height: number }): void {
  const { ctx, bbox } = u;
  const { top, height } = row ?? bbox;
  ctx.save();
  clip(u);
  for (const { from, to, isFilled } of inView(u, holes)) {
    const left = u.valToPos(from, "x", true);
    const width = u.valToPos(to, "x", true) - left;
    if (width < 1 && top > bbox.top) continue;
    if (width < 1) fill(ctx, isFilled ? "--hatch" : "--warn", left, top, 1, NOTCH * devicePixelRatio);
    else if (isFilled) drawFilled(ctx, left, top, width, height);
    else fill(ctx, "--gap", left, top, width, height);
  }
  ctx.restore();
}

/** The ground of the bands, above what was filled and below the gaps: where nothing is known there is no band. Each has
 * the gaps of its own; those of another day have others. */
export function drawLaneGround(u: uPlot, lanes: Lane[]): void {
  drawLaneHoles(u, lanes, true);
  drawTracks(u, lanes);
  drawLaneHoles(u, lanes, false);
}

function drawLaneHoles(u: uPlot, lanes: Lane[], filled: boolean): void {
  const height = LANE.height * devicePixelRatio;
  lanes.forEach(({ holes }, i) => {
    drawHoles(u, holes.filter(({ isFilled }) => isFilled === filled), { top: u.bbox.top + i * height, height });
  });
}

/** The ground of what was filled: lighter than a gap, hatched, a line at each end. */
export function drawFilled(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number): void {
  fill(ctx, "--filled", left, top, width, height);
  ctx.fillStyle = hatch(ctx);
  ctx.fillRect(left, top, width, height);
  for (const x of [left, left + width - devicePixelRatio]) fill(ctx, "--hatch", x, top, devicePixelRatio, height);
}

function fill(ctx: CanvasRenderingContext2D, name: string, left: number, top: number, width: number, height: number): void {
  ctx.fillStyle = color(name);
  ctx.fillRect(left, top, width, height);
}

/** Lines that rise to the right, as `.hatch` has them. */
function hatch(ctx: CanvasRenderingContext2D): CanvasPattern {
  const tile = document.createElement("canvas");
  const size = Math.round(HATCH * devicePixelRatio);
  tile.width = tile.height = size;
  const lines = tile.getContext("2d")!;
  lines.strokeStyle = color("--hatch");
  lines.lineWidth = devicePixelRatio;
  // The corners that a line leaves out are those of its neighbours.
  for (const shift of [-size, 0, size]) {
    lines.moveTo(shift - 1, size + 1);
    lines.lineTo(shift + size + 1, -1);
  }
  lines.stroke();
  return ctx.createPattern(tile, "repeat")!;
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

function drawTracks(u: uPlot, lanes: Lane[]): void {
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
