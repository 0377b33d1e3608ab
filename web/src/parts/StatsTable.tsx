// Statistics of the window: curves with minimum, mean and maximum, signals with starts, share and longest run.
import { type ReactNode, memo } from "react";
import type { Chart, Lane, Stack } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";
import { stateLabel } from "../i18n";
import { percentText, spanText, valueText } from "../lib/format";
import type { Window } from "../lib/range";
import { stateShares, switchStats, tellsRuns } from "../lib/segments";
import { lineStats } from "../lib/stats";
import { type Column, Table } from "./Table";

const PARTS = ["min", "mean", "max"] as const;

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
      {states.map((lane, i) => (
        <StateShares key={i} lane={lane} window={window} />
      ))}
      {isRough && <p className="hint">≈ {t("stats.rough")}</p>}
    </section>
  );
});

function CurveStats({ charts, window, zone }: { charts: Chart[] } & Pick<Props, "window" | "zone">) {
  const { t, locale } = useLanguage();
  return (
    <Table columns={[t("stats.sensor"), ...PARTS.map((part): Column => [t(`stats.${part}`), "number"])]}>
      {charts.flatMap(({ key, curves }) =>
        curves.map(({ line, sensor, label, holes }, i) => {
          const stats = lineStats(line, window.from, window.to, holes);
          const text = (value: number) => valueText(value, line.unit, sensor?.type ?? "", locale, zone);
          return (
            <tr key={`${key}${i}`}>
              <th scope="row">{label}</th>
              {PARTS.map((part) => (
                <td key={part} className="number">{stats ? text(stats[part]) : "\u2013"}</td>
              ))}
            </tr>
          );
        }),
      )}
    </Table>
  );
}

function SwitchStats({ lanes, window }: { lanes: Lane[] } & Pick<Props, "window">) {
  const { t } = useLanguage();
  return (
    <RunTable title={t("graphs.signals")}>
      {lanes.map((lane, i) => (
        <RunRow key={i} lane={lane} window={window} label={lane.label} isOn={isNotZero} />
      ))}
    </RunTable>
  );
}

function StateShares({ lane, window }: { lane: Lane } & Pick<Props, "window">) {
  const language = useLanguage();
  return (
    <RunTable title={lane.label}>
      {stateShares(lane.segments, window.from, window.to).map(({ value }) => (
        <RunRow key={value} lane={lane} window={window} label={stateLabel(lane.sensor, value, language)} isOn={(each) => each === value} />
      ))}
    </RunTable>
  );
}

const isNotZero = (value: number) => value !== 0;

function RunTable({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useLanguage();
  return (
    <Table columns={[title, ...(["starts", "share", "longest"] as const).map((part): Column => [t(`stats.${part}`), "number"])]}>
      {children}
    </Table>
  );
}

interface RunRowProps extends Pick<Props, "window"> {
  lane: Lane;
  label: string;
  isOn: (value: number) => boolean;
}

function RunRow({ lane: { segments, line }, window, label, isOn }: RunRowProps) {
  const { locale } = useLanguage();
  const stats = switchStats(segments, window.from, window.to, isOn);
  const about = stats && !stats.exact ? "≈ " : "";
  const runs = stats && tellsRuns(stats, line.stepMs) ? stats : null;
  return (
    <tr>
      <th scope="row">{label}</th>
      <td className="number">{runs ? about + runs.starts.toLocaleString(locale) : "\u2013"}</td>
      <td className="number">{stats ? about + percentText(stats.share, locale) : "\u2013"}</td>
      <td className="number">{runs ? about + spanText(runs.longest, locale) : "\u2013"}</td>
    </tr>
  );
}
