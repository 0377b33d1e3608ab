// The first screen: what the heat pump does, and whether it and the logger are all right.
import type { Latest, Sensor } from "../api/types";
import type { Live } from "../hooks/useLatest";
import { useLanguage } from "../hooks/useLanguage";
import { useTick } from "../hooks/useVisible";
import { type Language, reasonLabel, stateLabel } from "../i18n";
import { clockTime, dateTime, spanText } from "../lib/format";
import { STATE, lastError, shownLamps, statusSpan } from "../lib/overview";
import { stateColor } from "../lib/palette";
import { Empty, ErrorNote, Loading } from "./Notes";
import { Tiles } from "./Tiles";

interface Props {
  live: Live;
  known: Map<string, Sensor>;
  retry: () => void;
}

export function Overview({ live, known, retry }: Props) {
  const { t } = useLanguage();
  const { latest, error } = live;
  if (!latest) {
    return (
      <section className="card now" aria-label={t("now.title")}>
        {error ? <ErrorNote error={error} retry={retry} /> : <Loading height={260} />}
      </section>
    );
  }
  return (
    <section className={`card now${error ? " is-offline" : ""}`} aria-label={t("now.title")}>
      <Troubles live={live} />
      {latest.time === null ? (
        <Empty title={t("now.none")} hint={t("now.none.hint")} />
      ) : (
        <>
          <Head live={live} known={known} />
          <Tiles latest={latest} known={known} />
          <Lamps live={live} known={known} />
        </>
      )}
      <Facts live={live} known={known} />
      <Announcement live={live} known={known} />
    </section>
  );
}

/** What is wrong, in words: no answer, a failing logger, a gap that lasts. */
function Troubles({ live: { latest, error, seen } }: { live: Live }) {
  const language = useLanguage();
  const { t, locale } = language;
  if (!latest) return null;
  const gap = latest.gap_now;
  return (
    <>
      {error && (
        <p className="banner banner-bad">
          {error.isOffline
            ? t("now.offline.since", { time: clockTime(seen ?? 0, locale, latest.zone) })
            : [error.message, error.hint].filter(Boolean).join(". ")}
        </p>
      )}
      {!error && latest.status === "failing" && (
        <ul className="banner banner-bad">
          {latest.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {!error && gap && (
        <p className="banner banner-warn">
          {t("now.gapNow", {
            time: clockTime(Date.parse(gap.from), locale, latest.zone),
            reason: reasonLabel(gap.reason, language),
          })}
        </p>
      )}
    </>
  );
}

function Head({ live: { latest }, known }: Omit<Props, "retry">) {
  const language = useLanguage();
  const { t, locale } = language;
  if (!latest) return null;
  const value = latest.values[STATE];
  const span = statusSpan(latest);
  return (
    <div className="now-head">
      <span className="now-dot" style={{ background: `var(${dot(known, value)})` }} />
      <h2 className="now-state">
        <span className="hidden">{t("now.state")}: </span>
        {stateText(known, value, language)}
      </h2>
      {span && (
        <span className="now-since">{t(span.isAhead ? "now.in" : "now.since", { span: spanText(span.ms, locale) })}</span>
      )}
      <span className="now-pump">{[latest.pump, latest.firmware].filter(Boolean).join(" · ")}</span>
    </div>
  );
}

function dot(known: Map<string, Sensor>, value: number | null | undefined): string {
  return value === null || value === undefined ? "--state-idle" : stateColor(known.get(STATE)?.codes?.[String(value)], value);
}

function stateText(known: Map<string, Sensor>, value: number | null | undefined, language: Language): string {
  if (value === null || value === undefined) return language.t("now.unknown");
  return stateLabel(known.get(STATE), value, language);
}

function Lamps({ live: { latest }, known }: Omit<Props, "retry">) {
  const { t } = useLanguage();
  return (
    <ul className="lamps" aria-label={t("now.switches")}>
      {shownLamps(latest!, known).map(({ key, name, on }) => (
        <li key={name} className={`lamp${on ? " is-on" : ""}`}>
          {t(key)} <b>{t(on ? "now.on" : "now.off")}</b>
        </li>
      ))}
    </ul>
  );
}

function Facts({ live, known }: Omit<Props, "retry">) {
  const language = useLanguage();
  const { t, locale } = language;
  const latest = live.latest!;
  const fault = lastError(latest);
  const status = live.error?.isOffline ? "offline" : latest.status;
  return (
    <dl className="facts">
      <div>
        <dt>{t("now.logger")}</dt>
        <dd className={status === "ok" ? "is-good" : "is-bad"}>
          <a href="#/status">{t(status === "ok" ? "now.ok" : status === "offline" ? "now.offline" : "now.failing")}</a>
        </dd>
      </div>
      <div>
        <dt>{t("now.last")}</dt>
        <dd>{latest.time === null ? "\u2013" : <Age live={live} />}</dd>
      </div>
      <div>
        <dt>{t("now.gaps")}</dt>
        <dd>
          <a href="#/status">{missedToday(latest, language)}</a>
        </dd>
      </div>
      <div>
        <dt>{t("now.lastError")}</dt>
        <dd>
          {fault
            ? t("now.errorAt", {
                code: stateLabel(known.get(fault.name), fault.code, language),
                time: dateTime(fault.ms, locale, latest.zone),
              })
            : t("now.noError")}
        </dd>
      </div>
    </dl>
  );
}

function missedToday({ gaps_today, gaps_today_filled }: Latest, { t, locale }: Language): string {
  const missing = gaps_today.toLocaleString(locale);
  return gaps_today_filled ? t("now.gapsFilled", { missing, filled: gaps_today_filled.toLocaleString(locale) }) : missing;
}

/** Ticks by itself between two answers. */
function Age({ live: { latest, seen } }: { live: Live }) {
  const { t, locale } = useLanguage();
  const now = useTick(1000);
  const age = (latest!.age_s ?? 0) * 1000 + Math.max(now - (seen ?? now), 0);
  return <span title={dateTime(Date.parse(latest!.time!), locale, latest!.zone)}>{t("now.ago", { span: spanText(age, locale) })}</span>;
}

/** Told to a screen reader when the state or the verdict changes, and only then. */
function Announcement({ live: { latest, error }, known }: Omit<Props, "retry">) {
  const language = useLanguage();
  const { t } = language;
  const status = error?.isOffline ? "now.offline" : latest!.status === "ok" ? "now.ok" : "now.failing";
  return (
    <p className="hidden" role="status">
      {t("now.announce", { state: stateText(known, latest!.values[STATE], language), status: t(status) })}
    </p>
  );
}
