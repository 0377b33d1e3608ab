// One answer of the API for a component: a newer request ends the older, what came last stays until then.
import { useCallback, useEffect, useState } from "react";
import { type ApiError, getJson } from "../api/client";
import { asError } from "./useLatest";
import { useVisible } from "./useVisible";

export interface Answer<T> {
  data: T | null;
  /** The address that `data` came from. */
  from: string | null;
  error: ApiError | null;
  isLoading: boolean;
  retry: () => void;
}

const WAIT_MS = 3000;
/** The server serves others first, or its disk is away. */
const BUSY = 503;
const BUSY_MS = 3000;

/** Asks as soon as there is an address, again every so often while the page is seen, and after it was out of reach. */
export function useJson<T>(address: string | null, everyMs: number | null = null): Answer<T> {
  const [state, setState] = useState<Omit<Answer<T>, "retry">>({ data: null, from: null, error: null, isLoading: false });
  const [attempt, setAttempt] = useState(0);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  const isVisible = useVisible();
  useEffect(() => {
    if (everyMs === null || !isVisible) return undefined;
    const timer = setInterval(retry, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, isVisible, retry]);
  useEffect(() => {
    if (address === null) return undefined;
    const stop = new AbortController();
    let timer = 0;
    setState((before) => ({ ...before, isLoading: true }));
    getJson<T>(address, stop.signal).then(
      (data) => setState({ data, from: address, error: null, isLoading: false }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const told = asError(error);
        setState((before) => ({ ...before, error: told, isLoading: false }));
        if (told.isOffline) timer = window.setTimeout(retry, WAIT_MS);
        if (told.status === BUSY) timer = window.setTimeout(retry, BUSY_MS);
      },
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [address, attempt, retry]);
  return { ...state, retry };
}
