// The newest reading, asked for again and again while the page is seen.
import { useEffect, useRef, useState } from "react";
import { ApiError, addressOf, getJson, isAbort } from "../api/client";
import type { Latest } from "../api/types";
import { pollDelay } from "../lib/refetch";
import { knownZone } from "../lib/zone";
import { useVisible } from "./useVisible";

/** `seen` is the browser's time of the last answer, `skew` how far the logger's clock is ahead of the browser's. */
export interface Live {
  latest: Latest | null;
  seen: number | null;
  skew: number;
  error: ApiError | null;
}

const FIRST: Live = { latest: null, seen: null, skew: 0, error: null };
/** An answer that takes longer than this is none. */
const PATIENCE_MS = 15_000;

export function useLatest(names: string[] | null): Live {
  const [live, setLive] = useState(FIRST);
  const isVisible = useVisible();
  const interval = useRef<number | null>(null);
  const asked = names?.join(",") ?? null;
  useEffect(() => {
    if (asked === null || !isVisible) return undefined;
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      try {
        const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]);
        const told = await getJson<Latest>(addressOf("/api/latest", { sensors: asked }), signal);
        const latest = { ...told, zone: knownZone(told.zone) };
        interval.current = latest.interval_s;
        setLive((before) => answered(before, latest, Date.now()));
      } catch (error) {
        if (stop.signal.aborted) return;
        setLive((before) => ({ ...before, error: asError(error) }));
      }
      timer = window.setTimeout(ask, pollDelay(interval.current));
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [asked, isVisible]);
  return live;
}

/** The clocks are taken as equal unless they differ by more than a request may take. */
function answered(before: Live, latest: Latest, now: number): Live {
  let skew = before.skew;
  if (latest.time !== null && latest.age_s !== null) {
    const measured = Date.parse(latest.time) + latest.age_s * 1000 - now;
    if (Math.abs(measured - skew) > 2000) skew = measured;
  }
  return { latest, seen: now, skew, error: null };
}

export function asError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isAbort(error) || (error instanceof DOMException && error.name === "TimeoutError")) return new ApiError("offline", null, 0);
  return new ApiError(error instanceof Error ? error.message : String(error), null, -1);
}
