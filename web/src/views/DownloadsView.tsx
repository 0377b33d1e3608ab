// The files to take along: daily and weekly CSVs and the shards.
import type { Rollups, StoredFile } from "../api/types";
import { useJson } from "../hooks/useJson";
import { useLanguage } from "../hooks/useLanguage";
import type { Key } from "../i18n";
import { dateTime, dayOfWeek, sizeText } from "../lib/format";
import { dayOf } from "../lib/zone";
import { Answered } from "../parts/Answered";
import { Few } from "../parts/Few";
import { Table } from "../parts/Table";

const KINDS = ["daily", "weekly", "shards"] as const;
const FEW = 14;

export function DownloadsView({ zone }: { zone: string }) {
  const { t } = useLanguage();
  const answer = useJson<Rollups>("/api/rollups");
  return (
    <>
      <h1>{t("downloads.title")}</h1>
      <Answered answer={answer} height={400}>
        {(data) => KINDS.map((kind) => <Files key={kind} kind={kind} files={data[kind]} zone={zone} />)}
      </Answered>
    </>
  );
}

function Files({ kind, files, zone }: { kind: (typeof KINDS)[number]; files: StoredFile[]; zone: string }) {
  const { t } = useLanguage();
  return (
    <section className="card" aria-label={t(`downloads.${kind}` as Key)}>
      <h2>{t(`downloads.${kind}` as Key)}</h2>
      <p className="hint">{t(`downloads.${kind}.hint` as Key)}</p>
      {!files.length && <p>{t("downloads.none")}</p>}
      {files.length > 0 && (
        <Few all={files} most={FEW}>
          {(shown) => <FileTable files={shown} zone={zone} />}
        </Few>
      )}
    </section>
  );
}

function FileTable({ files, zone }: { files: StoredFile[]; zone: string }) {
  const { t, locale } = useLanguage();
  return (
    <Table
      columns={[t("downloads.file"), t("downloads.day"), [t("downloads.size"), "number"], [t("downloads.modified"), "wide-only"]]}
    >
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
    </Table>
  );
}

function dayTitle(day: string, locale: string, zone: string): string {
  const start = dayOf(day, zone);
  return start === null ? day : dayOfWeek(start, locale, zone);
}
