// The times without readings as a table.
import { useState } from "react";
import type { Gaps } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { reasonLabel } from "../i18n";
import { shortTime, spanText } from "../lib/format";

const FEW = 20;

export function GapList({ gaps: { gaps }, zone }: { gaps: Gaps; zone: string }) {
  const language = useLanguage();
  const { t, locale } = language;
  const [isAll, setAll] = useState(false);
  if (!gaps.length) return <p>{t("status.gaps.none")}</p>;
  const shown = isAll ? gaps : gaps.slice(0, FEW);
  return (
    <>
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("status.from")}</th>
              <th scope="col" className="number">{t("status.duration")}</th>
              <th scope="col" className="number">{t("status.missing")}</th>
              <th scope="col">{t("status.reason")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ from, to, missing, reason }) => (
              <tr key={from + to + reason}>
                <th scope="row">{shortTime(Date.parse(from), locale, zone)}</th>
                <td className="number">{spanText(Date.parse(to) - Date.parse(from), locale)}</td>
                <td className="number">{missing.toLocaleString(locale)}</td>
                <td>{reasonLabel(reason, language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {gaps.length > shown.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          {t("downloads.more", { count: gaps.length })}
        </button>
      )}
    </>
  );
}
