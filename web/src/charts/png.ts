// The charts that are shown as one picture to keep.
import { color } from "../hooks/useTheme";
import { drawFilled } from "./drawing";
import { download } from "../lib/download";

/** One chart of the picture. */
export interface Picture {
  title: string;
  legend: { color: string; label: string; look: "line" | "dashed" | "hatched" }[];
  canvas: HTMLCanvasElement;
}

const SPACE = 12;
const LINE = 18;
const FONT = "13px system-ui, sans-serif";
const BOLD = "600 15px system-ui, sans-serif";

/** Draws all charts below a heading and hands the file to the browser. */
export function savePng(pictures: Picture[], heading: string, name: string): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.max(...pictures.map(({ canvas }) => canvas.width / ratio)) + 2 * SPACE;
  const measure = document.createElement("canvas").getContext("2d")!;
  measure.font = FONT;
  const rows = pictures.map((picture) => legendRows(picture, width - 2 * SPACE, measure));
  const heights = pictures.map(({ canvas }, i) => (rows[i].length + 1) * LINE + canvas.height / ratio + SPACE);
  const canvas = document.createElement("canvas");
  canvas.width = width * ratio;
  canvas.height = (3 * SPACE + LINE + heights.reduce((sum, each) => sum + each, 0)) * ratio;
  const ctx = canvas.getContext("2d")!;
  ctx.scale(ratio, ratio);
  ctx.fillStyle = color("--surface");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  text(ctx, heading, SPACE, SPACE + LINE, BOLD);
  let top = 2 * SPACE + LINE;
  pictures.forEach((picture, i) => {
    drawPicture(ctx, picture, rows[i], top, ratio);
    top += heights[i];
  });
  canvas.toBlob((blob) => blob && save(blob, name));
}

type Row = ({ x: number } & Picture["legend"][number])[];

function legendRows({ legend }: Picture, width: number, measure: CanvasRenderingContext2D): Row[] {
  const rows: Row[] = [];
  let x = width;
  for (const item of legend) {
    const needed = measure.measureText(item.label).width + 36;
    if (x + needed > width || !rows.length) {
      rows.push([]);
      x = 0;
    }
    rows[rows.length - 1].push({ x, ...item });
    x += needed;
  }
  return rows;
}

function drawPicture(ctx: CanvasRenderingContext2D, picture: Picture, rows: Row[], top: number, ratio: number): void {
  text(ctx, picture.title, SPACE, top + LINE - 4, BOLD);
  rows.forEach((row, i) => {
    const y = top + (i + 2) * LINE - 4;
    for (const item of row) {
      drawSwatch(ctx, item, SPACE + item.x, y);
      text(ctx, item.label, SPACE + item.x + 20, y, FONT);
    }
  });
  const { canvas } = picture;
  ctx.drawImage(canvas, SPACE, top + (rows.length + 1) * LINE, canvas.width / ratio, canvas.height / ratio);
}

function drawSwatch(ctx: CanvasRenderingContext2D, { look, color: paint }: Row[number], x: number, y: number): void {
  if (look === "hatched") return drawFilled(ctx, x, y - 10, 15, 11);
  ctx.fillStyle = paint;
  for (const [from, length] of look === "dashed" ? [[0, 6], [9, 6]] : [[0, 15]]) ctx.fillRect(x + from, y - 7, length, 4);
}

function text(ctx: CanvasRenderingContext2D, words: string, x: number, y: number, font: string): void {
  ctx.font = font;
  ctx.fillStyle = color("--text");
  ctx.fillText(words, x, y);
}

function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  download(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
