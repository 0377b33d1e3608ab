// The graphs below the first screen: time, sensors, charts, statistics, table and downloads.
import { useMemo, useRef, useState } from "react";
import type { Sensor, Sensors, SeriesAnswer } from "../api/types";
import { ChartStack } from "../charts/ChartStack";
import { CursorBoard } from "../charts/cursor";
import type { Mark } from "../charts/drawing";
import { stackOf } from "../charts/model";
import { SIDE } from "../charts/options";
import { savePng } from "../charts/png";
import { picturesOf } from "../charts/pictures";
import { useLanguage } from "../hooks/useLanguage";
import { useSeries, useWindow } from "../hooks/useGraph";
import type { Go } from "../hooks/useView";
import { useWidth } from "../hooks/useWidth";
import { sensorLabel } from "../i18n";
import { movedHoles } from "../lib/compare";
import { dateTime, dayLong, spanText, windowText } from "../lib/format";
import { type Hole, holesOf } from "../lib/holes";
import { usualSensors } from "../lib/presets";
import { zoomed } from "../lib/range";
import { isReduced } from "../lib/series";
import type { View } from "../lib/view";
import { dayOf, dayText } from "../lib/zone";
import { ExportBar } from "../parts/ExportBar";
import { Empty, ErrorNote, Loading } from "../parts/Notes";
import { RangeBar } from "../parts/RangeBar";
import { Readout, SpokenReadout } from "../parts/Readout";
import { SensorBar } from "../parts/SensorBar";
import { SeriesMarks } from "../parts/SeriesMarks";
import { StatsTable } from "../parts/StatsTable";
import { ValuesTable } from "../parts/ValuesTable";

interface Props {
  view: View;
  go: Go;
  sensors: Sensors;
  known: Map<string, Sensor>;
  zone: string;
  /** The logger's time. */
  now: number;
  intervalMs: number;
}

export function GraphsView({ view, go, sensors, known, zone, now, intervalMs }: Props) {
  const language = useLanguage();
  const { t, locale } = language;
  const [board] = useState(() => new CursorBoard());
  const [element, outer] = useWidth<HTMLDivElement>();
  const charts = useRef<HTMLDivElement>(null);
  const width = Math.max(outer - SIDE.left - SIDE.right, 0);
  const chosen = useMemo(() => view.sensors ?? usualSensors(known), [view.sensors, known]);
  const { shown, settled, move, zoomInto, zoomOut } = useWindow(view, go, now, intervalMs, Math.max(width, 2));
  const { own, other, overlay } = useSeries(chosen, settled, width, view.compare, zone, locale);
  const answer = chosen.length ? own.data : null;
  const holes = useMemo(() => (answer ? answeredHoles(answer) : []), [answer]);
  const ghostHoles = useMemo(() => (overlay ? movedHoles(answeredHoles(overlay.answer), overlay.stretches) : []), [overlay]);
  const stack = useMemo(
    () => answer && stackOf(answer, overlay, { own: holes, ghost: ghostHoles }, known, language),
    [answer, overlay, holes, ghostHoles, known, language],
  );
  const marks = useMemo<Mark[]>(
    () => (answer?.steps ?? []).map(({ time, column, mark }) => ({ ms: Date.parse(time), name: column, mark })),
    [answer],
  );
  const hasFilled = stack?.holes.some(({ isFilled }) => isFilled) ?? false;
  const isEmpty = answer !== null && !answer.series.some(({ t: table }) => answer.times[table].length);
  const isUnfitted = answer !== null && answer.not_fitted.length === chosen.length;
  const heading = windowText(shown.from, shown.to, locale, zone);
  const fineness = answer && (answer.step_ms && isReduced(answer) ? t("graphs.reduced", { span: spanText(answer.step_ms, locale) }) : t("graphs.full"));
  const compared = overlay && t("graphs.compared", { day: dayLong(dayOf(view.compare!, zone)!, locale, zone) });

  return (
    <section className="card graphs" aria-label={t("graphs.title")}>
      <h2 className="hidden">{t("graphs.title")}</h2>
      <RangeBar view={view} go={go} zone={zone} now={now} zoom={(factor) => move(zoomed(shown, factor))} />
      <SensorBar sensors={sensors} known={known} chosen={chosen} choose={(names) => go({ sensors: names }, true)} />
      <p id="chart-help" className="hidden">
        {t("graphs.help")}
      </p>
      <Readout
        board={board}
        window={shown}
        zone={zone}
        stack={stack}
        marks={marks}
        known={known}
        pixel={(shown.to - shown.from) / Math.max(width, 1)}
        fineness={[fineness, compared].filter(Boolean).join(" · ")}
      />
      <div ref={element} className={own.isLoading ? "charts is-loading" : "charts"}>
        {own.error && <ErrorNote error={own.error} retry={own.retry} />}
        {other.error && view.compare && <ErrorNote error={other.error} retry={other.retry} />}
        {!chosen.length && known.size > 0 && <Empty title={t("graphs.none")} hint={t("graphs.none.hint")} />}
        {!known.size && <Empty title={t("graphs.empty")} hint={t("graphs.empty.hint")} />}
        {chosen.length > 0 && !answer && !own.error && <Loading height={480} />}
        {isEmpty && !isUnfitted && <Empty title={t("graphs.empty")} hint={t("graphs.empty.hint")} />}
        <div ref={charts}>
          {stack && !isEmpty && (
            <ChartStack
              stack={stack}
              window={shown}
              width={outer}
              zone={zone}
              board={board}
              marks={marks}
              label={t("graphs.chart", {
                count: chosen.length,
                from: dateTime(settled.from, locale, zone),
                to: dateTime(settled.to, locale, zone),
              })}
              move={move}
              zoomInto={zoomInto}
              zoomOut={zoomOut}
            />
          )}
        </div>
      </div>
      {answer && <SeriesMarks answer={answer} hasFilled={hasFilled} label={(name) => sensorLabel(known.get(name), name, language)} />}
      {stack && !isEmpty && (
        <>
          <SpokenReadout board={board} stack={stack} zone={zone} />
          <ExportBar
            names={chosen}
            window={settled}
            range={view.range}
            savePicture={() =>
              savePng(picturesOf(charts.current!, stack, language, zone), heading, `luxtronik-${dayText(shown.from, zone)}.png`)
            }
          />
          <StatsTable stack={stack} window={settled} zone={zone} />
          <div>
            <button type="button" className="button" aria-expanded={view.table} onClick={() => go({ table: !view.table }, true)}>
              {t(view.table ? "table.hide" : "table.show")}
            </button>
          </div>
          {view.table && <ValuesTable stack={stack} window={settled} zone={zone} />}
        </>
      )}
    </section>
  );
}

function answeredHoles({ gaps, from, to }: SeriesAnswer): Hole[] {
  return holesOf(gaps, { from: Date.parse(from), to: Date.parse(to) });
}
