// The charts of a stack as pictures: their canvases with their legends.
import { color } from "../hooks/useTheme";
import type { Language } from "../i18n";
import type { Hole } from "../lib/holes";
import { LANE } from "./drawing";
import { type Stack, curveReadout, laneReadout } from "./model";
import { SIDE } from "./options";
import type { Picture } from "./png";

type Item = Picture["legend"][number];

/** The figures of an element are those of the stack, in its order. */
export function picturesOf(element: HTMLElement, stack: Stack, language: Language, zone: string): Picture[] {
  return [...element.querySelectorAll("figure")].map((figure, i) => {
    const chart = stack.charts[i];
    const canvas = figure.querySelector("canvas")!;
    const title = figure.dataset.title ?? "";
    if (!chart) {
      const legend = filledItem(stack.lanes.flatMap(({ holes }) => holes), language);
      return { title, legend, canvas: withNames(canvas, stack, language) };
    }
    const curves = chart.curves.map((curve): Item => ({
      color: color(curve.color),
      look: curve.dash.length > 0 ? "dashed" : "line",
      label: `${curve.label} ${curveReadout(curve, null, language.locale, zone) ?? ""}`,
    }));
    return { title, legend: [...curves, ...filledItem(chart.holes, language)], canvas };
  });
}

function filledItem(holes: Hole[], { t }: Language): Item[] {
  return holes.some(({ isFilled }) => isFilled) ? [{ color: "", label: t("graphs.filled"), look: "hatched" }] : [];
}

/** The names of the bands stand over the canvas on the page, so a copy needs them painted. */
function withNames(canvas: HTMLCanvasElement, stack: Stack, language: Language): HTMLCanvasElement {
  const copy = document.createElement("canvas");
  const ratio = devicePixelRatio || 1;
  copy.width = canvas.width;
  copy.height = canvas.height;
  const ctx = copy.getContext("2d")!;
  ctx.drawImage(canvas, 0, 0);
  ctx.scale(ratio, ratio);
  ctx.font = "12px system-ui, sans-serif";
  ctx.fillStyle = color("--text");
  stack.lanes.forEach((lane, i) => {
    const words = `${lane.label}  ${laneReadout(lane, null, language) ?? ""}`;
    ctx.fillText(words, SIDE.left, i * LANE.height + LANE.top - 5);
  });
  return copy;
}
