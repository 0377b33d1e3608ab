// The line above the charts: the moment at the cursor, else the window; a gap or an omitted step that lies there.
import { useEffect, useState } from "react";
import { type CursorBoard, useCursor } from "../charts/cursor";
import type { Mark } from "../charts/drawing";
import { type Stack, curveReadout, laneReadout } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";
import { type Language, markLabel, reasonLabel, sensorLabel } from "../i18n";
import type { Sensor } from "../api/types";
import { clockTime, exactTime, windowText } from "../lib/format";
import type { Window } from "../lib/range";
import { type Hole, holeAt } from "../lib/series";

interface Props {
  board: CursorBoard;
  window: Window;
  zone: string;
  holes: Hole[];
  marks: Mark[];
  known: Map<string, Sensor>;
  /** Milliseconds of the window that one pixel stands for. */
  pixel: number;
  /** How fine the data is, in words. */
  fineness: string;
}

const NEAR_PX = 5;

export function Readout({ board, window, zone, holes, marks, known, pixel, fineness }: Props) {
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
  const hole = holeAt(holes, time, reach);
  const mark = marks.find(({ ms }) => Math.abs(ms - time) <= reach);
  return (
    <p className="readout">
      <span className="readout-time">{exactTime(time, locale, zone)}</span>
      {hole && <span className="readout-gap">{holeText(hole, language, zone)}</span>}
      {mark && <span className="readout-gap">{markText(mark, language, known)}</span>}
    </p>
  );
}

function holeText({ from, to, missing, reason }: Hole, language: Language, zone: string): string {
  const { t, locale } = language;
  const span = t("graphs.gapSpan", { from: clockTime(from, locale, zone), to: clockTime(to, locale, zone) });
  const what = t("graphs.gap", { reason: reasonLabel(reason, language), missing: missing.toLocaleString(locale) });
  return `${what} (${span})`;
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
  return [exactTime(time, language.locale, zone), ...curves, ...lanes].join(", ");
}
