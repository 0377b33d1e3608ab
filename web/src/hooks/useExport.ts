// Downloading an export: the page asks whether it can be made, and leaves the file to the browser.
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, type Query, addressOf, getJson } from "../api/client";
import { download } from "../lib/download";
import { asError } from "./useLatest";

const ADDRESS = "/api/export";

interface Asked {
  /** What is being asked for; null once that is known. */
  waiting: Query | null;
  failed: { query: Query; error: ApiError } | null;
}

const NOTHING: Asked = { waiting: null, failed: null };

/** The address of an export, for a link that also works without this. */
export function exportAddress(query: Query): string {
  return addressOf(ADDRESS, query);
}

/** A link alone would save the API's error as if it were the file. What failed is forgotten when `subject` changes. */
export function useExport(subject: unknown) {
  const [asked, setAsked] = useState(NOTHING);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => {
    setAsked(NOTHING);
    return () => stop.current?.abort();
  }, [subject]);
  const begin = useCallback((query: Query) => {
    stop.current?.abort();
    const { signal } = (stop.current = new AbortController());
    setAsked({ waiting: query, failed: null });
    getJson(addressOf(`${ADDRESS}/check`, query), signal).then(
      () => {
        if (signal.aborted) return;
        download(exportAddress(query));
        setAsked(NOTHING);
      },
      (error: unknown) => {
        if (!signal.aborted) setAsked({ waiting: null, failed: { query, error: asError(error) } });
      },
    );
  }, []);
  return { ...asked, begin };
}
