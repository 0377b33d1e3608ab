// What the charts show and ask for: the window of now, one that a person is moving, and the answers for them.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { addressOf } from "../api/client";
import type { SeriesAnswer } from "../api/types";
import { comparedWindow, stretchesOf } from "../lib/compare";
import { type Range, type Window, fixedRange, heldBack, resolved, zoomed } from "../lib/range";
import { dayShort } from "../lib/format";
import { isLiveDue, pointsFor } from "../lib/refetch";
import { type View, isoText } from "../lib/view";
import { dayOf } from "../lib/zone";
import { useJson } from "./useJson";
import type { Go } from "./useView";

/** A window that is being moved is asked for once it has rested so long. */
const REST_MS = 250;

/** The window to draw, and ways to move it. Zooming in is remembered, so that zooming out goes the same way back. */
export function useWindow(view: View, go: Go, now: number, intervalMs: number, points: number) {
  const [moving, setMoving] = useState<Window | null>(null);
  const [shownNow, setShownNow] = useState(now);
  const timer = useRef(0);
  const trail = useRef<Range[]>([]);
  const isLive = view.range.kind === "last";
  const settled = useMemo(() => resolved(view.range, shownNow), [view.range, shownNow]);

  useEffect(() => {
    if (isLive && isLiveDue({ ...settled, points }, now, intervalMs)) setShownNow(now);
  }, [isLive, settled, points, now, intervalMs]);
  useEffect(() => {
    clearTimeout(timer.current);
    setMoving(null);
  }, [view.range]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const move = useCallback(
    (window: Window) => {
      const next = heldBack(window, settled, shownNow);
      setMoving(next);
      clearTimeout(timer.current);
      timer.current = later(() => go({ range: fixedRange(next) }), REST_MS);
    },
    [go, settled, shownNow],
  );
  const zoomInto = useCallback(
    (window: Window) => {
      trail.current.push(view.range);
      setMoving(window);
      go({ range: fixedRange(window) });
    },
    [go, view.range],
  );
  const shown = moving ?? settled;
  const zoomOut = useCallback(() => {
    const before = trail.current.pop();
    go({ range: before ?? fixedRange(heldBack(zoomed(shown, 2), shown, shownNow)) });
  }, [go, shown, shownNow]);
  return { shown, settled, move, zoomInto, zoomOut };
}

function later(work: () => void, ms: number): number {
  return window.setTimeout(work, ms);
}

/** The answers for a window of some sensors and for the day to compare with. */
export function useSeries(
  names: string[],
  window: Window,
  width: number,
  compare: string | null,
  zone: string,
  locale: string,
) {
  const stretches = useMemo(() => compare && stretchesOf(window, compare, zone), [window, compare, zone]);
  const asked = stretches && comparedWindow(window, stretches);
  const own = useJson<SeriesAnswer>(seriesAddress(names, window, width));
  const other = useJson<SeriesAnswer>(asked && seriesAddress(names, asked, width));
  const overlay = useMemo(() => {
    if (!compare || !stretches || !other.data) return null;
    return { answer: other.data, stretches, day: dayShort(dayOf(compare, zone)!, locale, zone) };
  }, [compare, stretches, other.data, locale, zone]);
  return { own, other, overlay };
}

function seriesAddress(names: string[], { from, to }: Window, width: number): string | null {
  if (!names.length || width <= 0) return null;
  return addressOf("/api/series", {
    sensors: names.join(","),
    from: isoText(from),
    to: isoText(to + 999),
    points: pointsFor(width),
    states: "runs",
  });
}
