// The values that the charts show as a table: the same facts without a picture.
import { memo, useMemo } from "react";
import { type Stack, curveReadout, laneReadout } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";
import { exactTime } from "../lib/format";
import type { Window } from "../lib/range";
import { thinned } from "../lib/thinned";

export const ValuesTable = memo(function ValuesTable({ stack, window, zone }: { stack: Stack; window: Window; zone: string }) {
  const language = useLanguage();
  const { t, locale } = language;
  const { rows, every } = useMemo(() => thinned(stack, window), [stack, window]);
  const curves = stack.charts.flatMap((chart) => chart.curves);
  return (
    <div className="scroll values" tabIndex={0} role="region" aria-label={t("table.show")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("table.time")}</th>
            {[...curves, ...stack.lanes].map(({ label }, i) => (
              <th key={i} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((ms) => (
            <tr key={ms}>
              <th scope="row">{exactTime(ms, locale, zone)}</th>
              {curves.map((curve, i) => (
                <td key={i} className="number">
                  {curveReadout(curve, ms, locale, zone) ?? "\u2013"}
                </td>
              ))}
              {stack.lanes.map((lane, i) => (
                <td key={i}>{laneReadout(lane, ms, language) ?? "\u2013"}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {every > 1 && <p className="hint">{t("table.thinned", { n: every })}</p>}
    </div>
  );
});
