// The line above the charts: the moment at the cursor, else the window; a gap, what filled it, an omitted step that lies there.
import { useEffect, useState } from "react";
import { type CursorBoard, useCursor } from "../charts/cursor";
import type { Mark } from "../charts/drawing";
import { type Stack, curveReadout, laneReadout } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";
import { type Language, markLabel, reasonLabel, sensorLabel } from "../i18n";
import type { Sensor } from "../api/types";
import { clockTime, exactTime, windowText } from "../lib/format";
import type { Window } from "../lib/range";
import { type Hole, holeAt, stillMissing } from "../lib/holes";

interface Props {
  board: CursorBoard;
  window: Window;
  zone: string;
  stack: Stack | null;
  marks: Mark[];
  known: Map<string, Sensor>;
  /** Milliseconds of the window that one pixel stands for. */
  pixel: number;
  /** How fine the data is, in words. */
  fineness: string;
}

const NEAR_PX = 5;
/** Sensors that are named one by one. */
const MOST_NAMES = 3;

export function Readout({ board, window, zone, stack, marks, known, pixel, fineness }: Props) {
  const language = useLanguage();
  const time = useCursor(board);
  const { locale } = language;
  if (time === null) {
    return (
      <p className="readout">
        <span className="readout-time">{windowText(window.from, window.to, locale, zone)}</span>
        <span className="soft">{fineness}</span>
      </p>
    );
  }
  const reach = NEAR_PX * pixel;
  const hole = holeAt(stack?.holes ?? [], time, reach);
  const absent = stack && hole?.isFilled ? absentAt(stack, time) : [];
  const mark = marks.find(({ ms }) => Math.abs(ms - time) <= reach);
  return (
    <p className="readout">
      <span className="readout-time">{exactTime(time, locale, zone)}</span>
      {hole && <span className={hole.isFilled ? "readout-filled" : "readout-gap"}>{holeText(hole, language, zone)}</span>}
      {absent.length > 0 && <span className="readout-gap">{absentText(absent, language)}</span>}
      {mark && <span className="readout-gap">{markText(mark, language, known)}</span>}
    </p>
  );
}

function holeText(hole: Hole, language: Language, zone: string): string {
  const { t, locale } = language;
  const { from, to } = hole.whole;
  const span = t("graphs.gapSpan", { from: clockTime(from, locale, zone), to: clockTime(to, locale, zone) });
  const key = hole.isFilled ? "graphs.fromLog" : hole.filled ? "graphs.gapLeft" : "graphs.gap";
  const what = t(key, { reason: reasonLabel(hole.reason, language), missing: stillMissing(hole).toLocaleString(locale) });
  return `${what} (${span})`;
}

/** What stays a gap at a moment that was filled: the log does not have it. */
function absentAt({ charts, lanes }: Stack, time: number): string[] {
  const own = [...charts.flatMap(({ curves }) => curves), ...lanes].filter(({ line }) => !line.ghost);
  return own.filter(({ holes }) => holeAt(holes, time)?.isFilled === false).map(({ label }) => label);
}

function absentText(labels: string[], { t }: Language): string {
  const names = labels.length > MOST_NAMES ? t("graphs.sensors", { count: labels.length }) : labels.join(", ");
  return t("graphs.notInLog", { names });
}

function markText({ mark, name }: Mark, language: Language, known: Map<string, Sensor>): string {
  return language.t("graphs.step", { mark: markLabel(mark, language), name: sensorLabel(known.get(name), name, language) });
}

/** Says the values at the cursor once a key has moved it and it rests: for screen readers only. */
export function SpokenReadout({ board, stack, zone }: { board: CursorBoard; stack: Stack; zone: string }) {
  const language = useLanguage();
  const time = useCursor(board);
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    if (time === null || board.source !== "keys") return undefined;
    const timer = setTimeout(() => setSpoken(valuesText(stack, time, language, zone)), 500);
    return () => clearTimeout(timer);
  }, [board, stack, time, language, zone]);
  return (
    <p className="hidden" role="status">
      {spoken}
    </p>
  );
}

function valuesText(stack: Stack, time: number, language: Language, zone: string): string {
  const curves = stack.charts.flatMap(({ curves }) =>
    curves.map((curve) => `${curve.label} ${curveReadout(curve, time, language.locale, zone) ?? "\u2013"}`),
  );
  const lanes = stack.lanes.map((lane) => `${lane.label} ${laneReadout(lane, time, language) ?? "\u2013"}`);
  const hole = holeAt(stack.holes, time);
  const gap = hole ? [holeText(hole, language, zone)] : [];
  return [exactTime(time, language.locale, zone), ...curves, ...lanes, ...gap].join(", ");
}
