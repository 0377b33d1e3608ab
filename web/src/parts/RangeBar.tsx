// Choosing the time: quick ranges, steps, a day, a day to compare with, zoom.
import type { ReactNode } from "react";
import { useLanguage } from "../hooks/useLanguage";
import type { Go } from "../hooks/useView";
import { type Range, SPANS, type Span, canStepOn, dayRange, singleDay, stepped } from "../lib/range";
import type { View } from "../lib/view";
import { dayText } from "../lib/zone";
import { Icon } from "./Icon";

interface Props {
  view: View;
  go: Go;
  zone: string;
  now: number;
  zoom: (factor: number) => void;
}

export function RangeBar({ view, go, zone, now, zoom }: Props) {
  const { t } = useLanguage();
  const { range, compare } = view;
  const take = (next: Range | null) => next && go({ range: next });
  const today = dayText(now, zone);
  return (
    <div className="range" role="group" aria-label={t("range.label")}>
      <div className="group">
        {(Object.keys(SPANS) as Span[]).map((span) => (
          <button
            key={span}
            type="button"
            className="button"
            aria-pressed={range.kind === "last" && range.span === span}
            title={t(`range.${span}.long`)}
            onClick={() => take({ kind: "last", span })}
          >
            {t(`range.${span}`)}
          </button>
        ))}
      </div>
      <div className="group">
        <IconButton label={t("range.back")} onClick={() => take(stepped(range, -1, zone, now))}>
          <Icon name="left" />
        </IconButton>
        <IconButton label={t("range.on")} disabled={!canStepOn(range, now)} onClick={() => take(stepped(range, 1, zone, now))}>
          <Icon name="right" />
        </IconButton>
        <IconButton label={t("range.zoomIn")} onClick={() => zoom(1 / 2)}>
          <Icon name="plus" />
        </IconButton>
        <IconButton label={t("range.zoomOut")} onClick={() => zoom(2)}>
          <Icon name="minus" />
        </IconButton>
      </div>
      <label className="field">
        <span>{t("range.day")}</span>
        <input type="date" max={today} value={singleDay(range, zone) ?? ""} onChange={(event) => take(dayRange(event.target.value, zone))} />
      </label>
      <div className="field">
        <label htmlFor="compare">{t("range.compare")}</label>
        <input
          id="compare"
          type="date"
          max={today}
          value={compare ?? ""}
          onChange={(event) => go({ compare: event.target.value || null })}
        />
        {compare && (
          <IconButton label={t("range.compare.off")} onClick={() => go({ compare: null })}>
            <Icon name="close" />
          </IconButton>
        )}
      </div>
    </div>
  );
}

interface IconButtonProps {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}

export function IconButton({ label, disabled, onClick, children }: IconButtonProps) {
  return (
    <button type="button" className="button button-icon" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  );
}
