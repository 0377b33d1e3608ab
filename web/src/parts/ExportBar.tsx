// Taking the view along: the readings as a file, the charts as a picture.
import { useState } from "react";
import { addressOf } from "../api/client";
import { useLanguage } from "../hooks/useLanguage";
import type { Window } from "../lib/range";
import { isoText } from "../lib/view";
import { Icon } from "./Icon";

interface Props {
  names: string[];
  window: Window;
  savePicture: () => void;
}

const FORMATS = [
  ["csv", "CSV"],
  ["json", "JSON"],
  ["dta", "Stata"],
] as const;
const STEPS = ["", "15min", "1h", "1d"] as const;

export function ExportBar({ names, window, savePicture }: Props) {
  const { t, code } = useLanguage();
  const [every, setEvery] = useState<(typeof STEPS)[number]>("");
  const address = (format: string) =>
    addressOf("/api/export", {
      format,
      sensors: names.join(","),
      from: isoText(window.from),
      to: isoText(window.to),
      every,
      locale: format === "csv" && code === "de" ? "de" : null,
    });
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
          <a key={format} className="button" href={address(format)} download>
            <Icon name="save" /> {title}
          </a>
        ))}
        <button type="button" className="button" onClick={savePicture}>
          <Icon name="save" /> PNG
        </button>
      </div>
    </div>
  );
}
