// How many readings waited in the queue over the last day, small.
import { useMemo, useState } from "react";
import type { QueueHistory } from "../api/types";
import { Plot } from "../charts/Plot";
import { CursorBoard, useCursor } from "../charts/cursor";
import { depthOptions } from "../charts/options";
import { useLanguage } from "../hooks/useLanguage";
import { useTheme } from "../hooks/useTheme";
import { useWidth } from "../hooks/useWidth";
import { exactTime } from "../lib/format";
import { nearest } from "../lib/series";

const HEIGHT = 150;
const nothing = () => undefined;

export function QueueChart({ history, zone }: { history: QueueHistory; zone: string }) {
  const { t, locale } = useLanguage();
  const theme = useTheme();
  const [element, width] = useWidth<HTMLDivElement>();
  const [board] = useState(() => new CursorBoard());
  const { times, depth } = history;
  const window = useMemo(() => ({ from: times[0], to: times[times.length - 1] }), [times]);
  return (
    <div ref={element} role="img" aria-label={`${t("status.queue.axis")}: ${span(depth)}`}>
      {times.length < 2 && <p>{t("status.queue.none")}</p>}
      {times.length > 1 && width > 0 && (
        <>
          <DepthAt board={board} history={history} zone={zone} />
          <Plot
            make={`${theme} ${locale} ${zone}`}
            options={(frame) => depthOptions({ ...frame, zone, locale })}
            data={[times, depth]}
            window={window}
            width={width}
            height={HEIGHT}
            board={board}
            below={nothing}
            above={nothing}
            onSelect={nothing}
            onDoubleClick={nothing}
          />
        </>
      )}
    </div>
  );
}

function DepthAt({ board, history: { times, depth }, zone }: { board: CursorBoard; history: QueueHistory; zone: string }) {
  const { t, locale } = useLanguage();
  const time = useCursor(board);
  const i = time === null ? -1 : nearest(times, time);
  const text = i < 0 ? t("status.queue.axis") : `${exactTime(times[i], locale, zone)}: ${depth[i] ?? "\u2013"}`;
  return <p className="hint">{text}</p>;
}

function span(depth: (number | null)[]): string {
  const known = depth.filter((each) => each !== null);
  return `${Math.min(...known)} \u2026 ${Math.max(...known)}`;
}
