// What is shown instead of content: an error with its hint, an empty state, a place that still loads.
import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { useLanguage } from "../hooks/useLanguage";

/** `title` says what failed in the page's language, before the words of the API. */
export function ErrorNote({ error, retry, title }: { error: ApiError; retry?: () => void; title?: string }) {
  const { t } = useLanguage();
  const told = error.isOffline ? [t("error.offline"), t("error.offline.hint")] : [title, error.message, error.hint];
  const [first, ...others] = told.filter(Boolean);
  return (
    <div className="note note-error" role="alert">
      <strong>{first}</strong>
      {others.map((each) => (
        <span key={each}>{each}</span>
      ))}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          {t("retry")}
        </button>
      )}
    </div>
  );
}

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }) {
  return (
    <div className="note">
      <strong>{title}</strong>
      {hint && <span>{hint}</span>}
      {children}
    </div>
  );
}

/** Keeps the place of what is to come. */
export function Loading({ height }: { height: number }) {
  const { t } = useLanguage();
  return (
    <div className="skeleton" style={{ minHeight: height }}>
      <span className="hidden">{t("loading")}</span>
    </div>
  );
}
