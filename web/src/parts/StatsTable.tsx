// Statistics of the window: curves with minimum, mean and maximum, signals with starts, share and longest run.
import { memo } from "react";
import type { Chart, Lane, Stack } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";
import { stateLabel } from "../i18n";
import { percentText, spanText, valueText } from "../lib/format";
import type { Window } from "../lib/range";
import { stateShares, switchStats } from "../lib/segments";
import { lineStats } from "../lib/stats";

interface Props {
  stack: Stack;
  window: Window;
  zone: string;
}

export const StatsTable = memo(function StatsTable({ stack, window, zone }: Props) {
  const { t } = useLanguage();
  const switches = stack.lanes.filter(({ sensor }) => sensor?.kind === "switch");
  const states = stack.lanes.filter(({ sensor }) => sensor?.kind === "state");
  const isRough = stack.lanes.some(({ line }) => line.stepMs !== null);
  return (
    <section className="card" aria-label={t("stats.title")}>
      <h2>{t("stats.title")}</h2>
      {stack.charts.length > 0 && <CurveStats charts={stack.charts} window={window} zone={zone} />}
      {switches.length > 0 && <SwitchStats lanes={switches} window={window} />}
      {states.map((lane) => (
        <StateShares key={`${lane.line.name}${lane.line.ghost}`} lane={lane} window={window} />
      ))}
      {isRough && <p className="hint">≈ {t("stats.rough")}</p>}
    </section>
  );
});

function CurveStats({ charts, window, zone }: { charts: Chart[] } & Pick<Props, "window" | "zone">) {
  const { t, locale } = useLanguage();
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("stats.sensor")}</th>
            <th scope="col" className="number">{t("stats.min")}</th>
            <th scope="col" className="number">{t("stats.mean")}</th>
            <th scope="col" className="number">{t("stats.max")}</th>
          </tr>
        </thead>
        <tbody>
          {charts.flatMap(({ curves }) =>
            curves.map(({ line, sensor, label }) => {
              const stats = lineStats(line, window.from, window.to);
              const text = (value: number) => valueText(value, line.unit, sensor?.type ?? "", locale, zone);
              return (
                <tr key={`${line.name}${line.unit}${line.ghost}`}>
                  <th scope="row">{label}</th>
                  {(["min", "mean", "max"] as const).map((part) => (
                    <td key={part} className="number">{stats ? text(stats[part]) : "\u2013"}</td>
                  ))}
                </tr>
              );
            }),
          )}
        </tbody>
      </table>
    </div>
  );
}

function SwitchStats({ lanes, window }: { lanes: Lane[] } & Pick<Props, "window">) {
  const { t, locale } = useLanguage();
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("graphs.signals")}</th>
            <th scope="col" className="number">{t("stats.starts")}</th>
            <th scope="col" className="number">{t("stats.share")}</th>
            <th scope="col" className="number">{t("stats.longest")}</th>
          </tr>
        </thead>
        <tbody>
          {lanes.map(({ line, label, segments }) => {
            const stats = switchStats(segments, window.from, window.to, (value) => value !== 0);
            const about = stats && !stats.exact ? "≈ " : "";
            return (
              <tr key={`${line.name}${line.ghost}`}>
                <th scope="row">{label}</th>
                <td className="number">{stats ? about + stats.starts.toLocaleString(locale) : "\u2013"}</td>
                <td className="number">{stats ? percentText(stats.share, locale) : "\u2013"}</td>
                <td className="number">{stats ? about + spanText(stats.longest, locale) : "\u2013"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function StateShares({ lane, window }: { lane: Lane } & Pick<Props, "window">) {
  const language = useLanguage();
  const { t, locale } = language;
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{lane.label}</th>
            <th scope="col" className="number">{t("stats.starts")}</th>
            <th scope="col" className="number">{t("stats.share")}</th>
            <th scope="col" className="number">{t("stats.longest")}</th>
          </tr>
        </thead>
        <tbody>
          {stateShares(lane.segments, window.from, window.to).map(({ value, share }) => {
            const stats = switchStats(lane.segments, window.from, window.to, (each) => each === value);
            const about = stats && !stats.exact ? "≈ " : "";
            return (
              <tr key={value}>
                <th scope="row">{stateLabel(lane.sensor, value, language)}</th>
                <td className="number">{stats && about + stats.starts.toLocaleString(locale)}</td>
                <td className="number">{about + percentText(share, locale)}</td>
                <td className="number">{stats && about + spanText(stats.longest, locale)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
