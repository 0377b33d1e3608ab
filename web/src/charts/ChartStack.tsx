// All charts of a view below one another on one time axis, with gestures and keys for all of them.
import { memo, useCallback, useEffect, useMemo, useRef } from "react";
import type uPlot from "uplot";
import { useLanguage } from "../hooks/useLanguage";
import { useTheme } from "../hooks/useTheme";
import { type Window, between } from "../lib/range";
import { CurveLegend, LaneLabels } from "../parts/Legend";
import { Plot } from "./Plot";
import type { CursorBoard } from "./cursor";
import { LANE, type Mark, drawHoles, drawLaneGround, drawLanes, drawMarks } from "./drawing";
import { listenToGestures } from "./gestures";
import { keyAction } from "./keys";
import type { Chart, Stack } from "./model";
import { SIDE, curveOptions, footHeight, laneOptions } from "./options";

/** Below so many CSS pixels the charts are those of a phone. */
const NARROW = 600;

interface Props {
  stack: Stack;
  window: Window;
  width: number;
  zone: string;
  board: CursorBoard;
  marks: Mark[];
  label: string;
  move: (window: Window) => void;
  zoomInto: (window: Window) => void;
  zoomOut: () => void;
}

export const ChartStack = memo(function ChartStack(props: Props) {
  const { stack, window, width, board, label, move, zoomOut } = props;
  const element = useRef<HTMLDivElement>(null);
  const current = useRef(props);
  current.current = props;

  useEffect(
    () =>
      listenToGestures(element.current!, {
        window: () => current.current.window,
        area: () => plotArea(element.current!),
        onMove: (next) => current.current.move(next),
        onDoubleTap: () => current.current.zoomOut(),
      }),
    [],
  );

  const press = (event: React.KeyboardEvent) => {
    if (event.altKey || event.metaKey) return;
    const action = keyAction(event.key, { shift: event.shiftKey, ctrl: event.ctrlKey }, window, board.time);
    if (!action) return;
    event.preventDefault();
    if (action.kind === "window") move(action.window);
    else if (action.kind === "cursor") board.set(action.time, "keys");
    else zoomOut();
  };

  return (
    <div ref={element} className="stack" tabIndex={0} role="application" aria-label={label} aria-describedby="chart-help" onKeyDown={press}>
      {width > 0 && stack.charts.map((chart) => <CurveFigure key={chart.key} chart={chart} {...props} />)}
      {width > 0 && stack.lanes.length > 0 && <LaneFigure {...props} />}
    </div>
  );
});

function plotArea(element: HTMLElement): { left: number; width: number } {
  const { left, width } = element.querySelector(".u-over")?.getBoundingClientRect() ?? element.getBoundingClientRect();
  return { left, width };
}

function useMake(parts: unknown[], zone: string): string {
  const theme = useTheme();
  const { locale } = useLanguage();
  return JSON.stringify([theme, locale, zone, ...parts]);
}

function CurveFigure(props: Props & { chart: Chart }) {
  const { chart, window, width, zone, board, zoomInto, zoomOut } = props;
  const { t, locale } = useLanguage();
  const data = useMemo(
    () => [chart.columns.times, ...chart.columns.columns.map(({ cells }) => cells)] as uPlot.AlignedData,
    [chart],
  );
  const make = useMake([chart.key, ...chart.columns.columns.map(({ line, part }) => [line.name, line.ghost, part])], zone);
  const names = chart.curves.map(({ line }) => line.name);
  const onSelect = useCallback((from: number, to: number) => zoomInto(between(from, to)), [zoomInto]);
  const title = chart.isTime ? t("graphs.time") : chart.unit === "s" ? t("graphs.duration") : chart.unit || t("graphs.noUnit");
  return (
    <figure className="chart" data-title={title}>
      <figcaption>
        <span className="chart-unit">{title}</span>
        <CurveLegend chart={chart} board={board} zone={zone} />
      </figcaption>
      <Plot
        make={make}
        options={(frame) => curveOptions(chart, { ...frame, zone, locale })}
        data={data}
        window={window}
        width={width}
        height={width < NARROW ? 200 : 240}
        board={board}
        below={(u) => drawHoles(u, chart.holes)}
        above={(u) => drawMarks(u, props.marks.filter(({ name }) => names.includes(name)))}
        onSelect={onSelect}
        onDoubleClick={zoomOut}
      />
    </figure>
  );
}

function LaneFigure(props: Props) {
  const { stack, window, width, zone, board, zoomInto, zoomOut } = props;
  const { t, locale } = useLanguage();
  const data = useMemo<uPlot.AlignedData>(() => [[window.from, window.to], [null, null]], [window.from, window.to, stack]);
  const make = useMake([stack.lanes.length], zone);
  const onSelect = useCallback((from: number, to: number) => zoomInto(between(from, to)), [zoomInto]);
  return (
    <figure className="chart" data-title={t("graphs.signals")}>
      <figcaption>
        <span className="chart-unit">{t("graphs.signals")}</span>
      </figcaption>
      <div className="chart-lanes">
        <Plot
          make={make}
          options={(frame) => laneOptions({ ...frame, zone, locale })}
          data={data}
          window={window}
          width={width}
          height={stack.lanes.length * LANE.height + footHeight()}
          board={board}
          below={(u) => drawLaneGround(u, stack.lanes)}
          above={(u) => drawLanes(u, stack.lanes)}
          onSelect={onSelect}
          onDoubleClick={zoomOut}
        />
        <LaneLabels lanes={stack.lanes} board={board} height={LANE.height} left={width < NARROW ? 0 : SIDE.left} />
      </div>
    </figure>
  );
}
