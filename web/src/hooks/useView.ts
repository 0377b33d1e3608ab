// The view that the address holds, and going to another one.
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type View, parseView, viewHash } from "../lib/view";

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("hashchange", listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("hashchange", listener);
    removeEventListener("popstate", listener);
  };
}

/** `replace` leaves no step for the browser's back button. */
export type Go = (change: Partial<View>, replace?: boolean) => void;

export function useView(): [View, Go] {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const view = useMemo(() => parseView(hash), [hash]);
  const go = useCallback<Go>((change, replace = false) => {
    const next = viewHash({ ...parseView(location.hash), ...change });
    if (next === location.hash) return;
    if (replace) history.replaceState(null, "", next);
    else history.pushState(null, "", next);
    for (const listener of listeners) listener();
  }, []);
  return [view, go];
}
