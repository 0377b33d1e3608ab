// The files to take along: daily and weekly CSVs and the shards.
import { useState } from "react";
import type { Rollups, StoredFile } from "../api/types";
import { useJson } from "../hooks/useJson";
import { useLanguage } from "../hooks/useLanguage";
import type { Key } from "../i18n";
import { dateTime, dayOfWeek, sizeText } from "../lib/format";
import { dayOf } from "../lib/zone";
import { ErrorNote, Loading } from "../parts/Notes";

const KINDS = ["daily", "weekly", "shards"] as const;
const FEW = 14;

export function DownloadsView({ zone }: { zone: string }) {
  const { t } = useLanguage();
  const { data, error, retry } = useJson<Rollups>("/api/rollups");
  return (
    <>
      <h1>{t("downloads.title")}</h1>
      {error && <ErrorNote error={error} retry={retry} />}
      {!data && !error && <Loading height={400} />}
      {data && KINDS.map((kind) => <Files key={kind} kind={kind} files={data[kind]} zone={zone} />)}
    </>
  );
}

function Files({ kind, files, zone }: { kind: (typeof KINDS)[number]; files: StoredFile[]; zone: string }) {
  const { t } = useLanguage();
  const [isAll, setAll] = useState(false);
  const shown = isAll ? files : files.slice(0, FEW);
  return (
    <section className="card" aria-label={t(`downloads.${kind}` as Key)}>
      <h2>{t(`downloads.${kind}` as Key)}</h2>
      <p className="hint">{t(`downloads.${kind}.hint` as Key)}</p>
      {files.length ? <FileTable files={shown} zone={zone} /> : <p>{t("downloads.none")}</p>}
      {files.length > shown.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          {t("downloads.more", { count: files.length })}
        </button>
      )}
    </section>
  );
}

function FileTable({ files, zone }: { files: StoredFile[]; zone: string }) {
  const { t, locale } = useLanguage();
  return (
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("downloads.file")}</th>
            <th scope="col">{t("downloads.day")}</th>
            <th scope="col" className="number">{t("downloads.size")}</th>
            <th scope="col" className="wide-only">{t("downloads.modified")}</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ name, url, day, size, modified }) => (
            <tr key={name}>
              <th scope="row">
                <a className="file" href={url} download={name}>
                  {name}
                </a>
              </th>
              <td>{dayTitle(day, locale, zone)}</td>
              <td className="number">{sizeText(size, locale)}</td>
              <td className="wide-only">{dateTime(Date.parse(modified), locale, zone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function dayTitle(day: string, locale: string, zone: string): string {
  const start = dayOf(day, zone);
  return start === null ? day : dayOfWeek(start, locale, zone);
}
