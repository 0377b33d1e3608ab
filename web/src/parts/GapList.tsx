// The times without readings as a table.
import type { Gaps } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { filledLabel, reasonLabel } from "../i18n";
import { shortTime, spanText } from "../lib/format";
import { Few } from "./Few";
import { Table } from "./Table";

const FEW = 20;

export function GapList({ gaps: { gaps }, zone }: { gaps: Gaps; zone: string }) {
  const language = useLanguage();
  const { t, locale } = language;
  if (!gaps.length) return <p>{t("status.gaps.none")}</p>;
  return (
    <Few all={gaps} most={FEW}>
      {(shown) => (
        <Table
          columns={[
            t("status.from"),
            [t("status.duration"), "number"],
            [t("status.missing"), "number"],
            t("status.reason"),
            t("status.filled"),
          ]}
        >
          {shown.map(({ from, to, missing, reason, filled, source }) => (
            <tr key={from + to + reason}>
              <th scope="row">{shortTime(Date.parse(from), locale, zone)}</th>
              <td className="number">{spanText(Date.parse(to) - Date.parse(from), locale)}</td>
              <td className="number">{missing.toLocaleString(locale)}</td>
              <td>{reasonLabel(reason, language)}</td>
              <td>{filled ? filledLabel(filled.toLocaleString(locale), source, language) : "\u2013"}</td>
            </tr>
          ))}
        </Table>
      )}
    </Few>
  );
}
