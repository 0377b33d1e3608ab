// Taking the view along: the readings as a file, the charts as a picture.
import { type MouseEvent, useMemo, useState } from "react";
import type { ApiError, Query } from "../api/client";
import { exportAddress, useExport } from "../hooks/useExport";
import { useLanguage } from "../hooks/useLanguage";
import type { Range, Window } from "../lib/range";
import { isoText } from "../lib/view";
import { Icon } from "./Icon";
import { ErrorNote } from "./Notes";

interface Props {
  names: string[];
  window: Window;
  range: Range;
  savePicture: () => void;
}

const FORMATS = [
  ["csv", "CSV"],
  ["json", "JSON"],
  ["dta", "Stata"],
] as const;
const STEPS = ["", "15min", "1h", "1d"] as const;
/** The logger may be able to later. */
const BUSY = 503;

export function ExportBar({ names, window, range, savePicture }: Props) {
  const { t, code } = useLanguage();
  const [every, setEvery] = useState<(typeof STEPS)[number]>("");
  const { waiting, failed, begin } = useExport(useMemo(() => [names, range, every], [names, range, every]));
  const query = (format: string): Query => ({
    format,
    sensors: names.join(","),
    from: isoText(window.from),
    to: isoText(window.to),
    every,
    locale: format === "csv" && code === "de" ? "de" : null,
  });
  const follow = (event: MouseEvent, asked: Query) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    begin(asked);
  };
  return (
    <div className="exports" role="group" aria-label={t("export.title")}>
      <h2>{t("export.title")}</h2>
      <label className="field">
        <span>{t("export.every")}</span>
        <select value={every} onChange={(event) => setEvery(event.target.value as typeof every)}>
          {STEPS.map((step) => (
            <option key={step} value={step}>
              {t(step === "" ? "export.all" : `export.${step}`)}
            </option>
          ))}
        </select>
      </label>
      <div className="group">
        {FORMATS.map(([format, title]) => (
          <a
            key={format}
            className="button"
            href={exportAddress(query(format))}
            download
            aria-busy={waiting?.format === format}
            onClick={(event) => follow(event, query(format))}
          >
            <Icon name="save" /> {title}
          </a>
        ))}
        <button type="button" className="button" onClick={savePicture}>
          <Icon name="save" /> PNG
        </button>
      </div>
      <span className="hidden" role="status">
        {waiting && t("export.asked")}
      </span>
      {failed && <Failure error={failed.error} retry={() => begin(failed.query)} />}
    </div>
  );
}

function Failure({ error, retry }: { error: ApiError; retry: () => void }) {
  const { t } = useLanguage();
  return <ErrorNote error={error} retry={retry} title={t(error.status === BUSY ? "export.busy" : "export.failed")} />;
}
