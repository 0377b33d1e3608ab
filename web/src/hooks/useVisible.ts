// Whether a person can see the page, and a clock that ticks only then.
import { useEffect, useState, useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

export function useVisible(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState === "visible");
}

/** The browser's time, renewed every so many milliseconds. */
export function useTick(everyMs: number): number {
  const isVisible = useVisible();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isVisible) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [isVisible, everyMs]);
  return now;
}
