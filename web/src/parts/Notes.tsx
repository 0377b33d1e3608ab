// What is shown instead of content: an error with its hint, an empty state, a place that still loads.
import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { useLanguage } from "../hooks/useLanguage";

export function ErrorNote({ error, retry }: { error: ApiError; retry?: () => void }) {
  const { t } = useLanguage();
  const message = error.isOffline ? t("error.offline") : error.message;
  const hint = error.isOffline ? t("error.offline.hint") : error.hint;
  return (
    <div className="note note-error" role="alert">
      <strong>{message}</strong>
      {hint && <span>{hint}</span>}
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
