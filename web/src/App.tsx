// The page: its head, the view that the address names, and what all views share.
import { useEffect, useMemo } from "react";
import type { Sensors } from "./api/types";
import { useJson } from "./hooks/useJson";
import { LanguageProvider, useLanguage } from "./hooks/useLanguage";
import { useLatest } from "./hooks/useLatest";
import { type Go, useView } from "./hooks/useView";
import { useTick } from "./hooks/useVisible";
import { type Key, type Language } from "./i18n";
import { overviewSensors } from "./lib/overview";
import { byName } from "./lib/presets";
import { PAGES, type View, viewHash } from "./lib/view";
import { Boundary } from "./parts/Boundary";
import { ErrorNote, Loading } from "./parts/Notes";
import { Overview } from "./parts/Overview";
import { ApiView } from "./views/ApiView";
import { DownloadsView } from "./views/DownloadsView";
import { GraphsView } from "./views/GraphsView";
import { StatusView } from "./views/StatusView";

/** How often a live window looks whether it must go on. */
const NOW_MS = 5000;

export function App({ language }: { language: Language }) {
  const [view, go] = useView();
  const { t } = language;
  useEffect(() => {
    document.title = view.page === "graphs" ? "Luxtronik Logger" : `${t(`nav.${view.page}`)} – Luxtronik Logger`;
  }, [view.page, t]);
  return (
    <LanguageProvider value={language}>
      <a className="skip" href="#main" onClick={skip}>
        {t("nav.skip")}
      </a>
      <Head view={view} />
      <main id="main" tabIndex={-1}>
        <Boundary title={t("error.broken")}>
          <Page view={view} go={go} />
        </Boundary>
      </main>
    </LanguageProvider>
  );
}

/** The address holds the view, so a link to a place in the page must not change it. */
function skip(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Head({ view }: { view: View }) {
  const { t } = useLanguage();
  return (
    <header className="head">
      <span className="head-name">Luxtronik Logger</span>
      <nav aria-label={t("nav.label")}>
        {PAGES.map((page) => (
          <a key={page} href={viewHash({ ...view, page })} aria-current={view.page === page ? "page" : undefined}>
            {t(`nav.${page}` as Key)}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Page({ view, go }: { view: View; go: Go }) {
  const { t } = useLanguage();
  const sensors = useJson<Sensors>("/api/sensors");
  const known = useMemo(() => byName(sensors.data?.sensors ?? []), [sensors.data]);
  const names = useMemo(() => sensors.data && overviewSensors(known), [sensors.data, known]);
  const isGraphs = view.page === "graphs";
  const live = useLatest(names);
  const { latest } = live;
  const isNewborn = latest !== null && latest.time !== null && known.size === 0;
  const askAgain = sensors.retry;
  useEffect(() => {
    if (isNewborn) askAgain();
  }, [isNewborn, latest, askAgain]);
  const now = useTick(NOW_MS) + live.skew;

  if (view.page === "api") return <ApiView />;
  if (sensors.error && !sensors.data) return <ErrorNote error={sensors.error} retry={sensors.retry} />;
  if (!sensors.data || (!latest && !live.error)) return <Loading height={640} />;
  const zone = latest?.zone ?? "UTC";
  return (
    <>
      {isGraphs && <h1 className="hidden">{t("nav.graphs")}</h1>}
      {isGraphs && <Overview live={live} known={known} retry={sensors.retry} />}
      {isGraphs && latest && (
        <GraphsView
          view={view}
          go={go}
          sensors={sensors.data}
          known={known}
          zone={zone}
          now={now}
          intervalMs={latest.interval_s * 1000}
        />
      )}
      {view.page === "downloads" && <DownloadsView zone={zone} />}
      {view.page === "status" && <StatusView zone={zone} />}
    </>
  );
}
