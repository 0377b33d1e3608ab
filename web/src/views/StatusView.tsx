// How the logger itself is: its verdict, its queue, gaps, disk, versions and settings.
import { addressOf } from "../api/client";
import type { Gaps, QueueHistory, Settings, Status } from "../api/types";
import { useJson } from "../hooks/useJson";
import { useLanguage } from "../hooks/useLanguage";
import { dateTime, sizeText } from "../lib/format";
import { Answered } from "../parts/Answered";
import { GapList } from "../parts/GapList";
import { QueueChart } from "../parts/QueueChart";
import { Table } from "../parts/Table";

/** How often the page asks anew. */
const EVERY_MS = 30_000;

export function StatusView({ zone }: { zone: string }) {
  const { t } = useLanguage();
  const status = useJson<Status>("/api/status", EVERY_MS);
  const settings = useJson<Settings>("/api/settings");
  const history = useJson<QueueHistory>("/api/queue/history", EVERY_MS);
  const gaps = useJson<Gaps>(addressOf("/api/gaps", { from: "-30d" }), EVERY_MS);
  return (
    <>
      <h1>{t("status.title")}</h1>
      <Answered answer={status} height={300}>
        {(data) => <Facts status={data} settings={settings.data} zone={zone} />}
      </Answered>
      <section className="card" aria-label={t("status.queue")}>
        <h2>{t("status.queue")}</h2>
        <p>
          {status.data && t("status.queue.now", { count: status.data.queue.depth ?? "?" })}
          {status.data?.queue.in_memory ? `, ${t("status.queue.memory", { count: status.data.queue.in_memory })}` : ""}
        </p>
        <Answered answer={history} height={170}>
          {(data) => <QueueChart history={data} zone={zone} />}
        </Answered>
      </section>
      <section className="card" aria-label={t("status.gaps")}>
        <h2>{t("status.gaps")}</h2>
        <p className="hint">{t("status.gaps.hint")}</p>
        <Answered answer={gaps} height={120}>
          {(data) => <GapList gaps={data} zone={zone} />}
        </Answered>
      </section>
      <Answered answer={settings} height={300}>
        {(data) => <SettingsTable settings={data} />}
      </Answered>
    </>
  );
}

function Facts({ status, settings, zone }: { status: Status; settings: Settings | null; zone: string }) {
  const { t, locale } = useLanguage();
  const size = (bytes: number) => sizeText(bytes, locale);
  const { disk, archive, losses, quality, pump, restarts } = status;
  const restarted = Object.entries(restarts).filter(([, n]) => n);
  const steps = Object.entries(quality.steps);
  const rows: [string, string | undefined][] = [
    [t("status.last"), status.last_reading ? dateTime(Date.parse(status.last_reading), locale, zone) : "\u2013"],
    [t("status.pump"), [pump?.pump, pump?.address].filter(Boolean).join(", ")],
    [t("status.firmware"), pump?.firmware],
    [t("status.disk"), t("status.disk.text", { free: size(disk.free), total: size(disk.total), data: size(disk.data) })],
    [t("status.archive"), t("status.archive.text", { days: archive.days, due: archive.due })],
    [t("status.losses"), t("status.losses.text", { disk: losses.disk, quarantined: losses.quarantined })],
    [t("status.restarts"), restarted.map(([name, n]) => `${name} ${n}`).join(", ") || t("status.none")],
    [t("status.quality"), steps.map(([name, counts]) => `${name} ${sum(counts)}`).join(", ") || t("status.none")],
    [t("status.version"), settings?.version],
    [t("status.python"), settings?.python],
    [t("status.zone"), settings?.zone],
    [t("status.started"), settings ? dateTime(Date.parse(settings.started), locale, zone) : undefined],
  ];
  return (
    <section className="card" aria-label={t("status.title")}>
      <p className={status.status === "ok" ? "verdict is-good" : "verdict is-bad"}>
        {t(status.status === "ok" ? "now.ok" : "now.failing")}
      </p>
      {status.reasons.length > 0 && (
        <ul className="banner banner-bad">
          {status.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      <dl className="facts facts-wide">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value || "\u2013"}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}

function SettingsTable({ settings: { settings } }: { settings: Settings }) {
  const { t } = useLanguage();
  return (
    <section className="card" aria-label={t("status.settings")}>
      <h2>{t("status.settings")}</h2>
      <Table columns={[t("status.setting"), t("status.value"), t("status.source")]}>
        {settings.map(({ key, value, from }) => (
          <tr key={key}>
            <th scope="row">
              <code>{key}</code>
            </th>
            <td>
              <code>{String(value)}</code>
            </td>
            <td>{from}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
