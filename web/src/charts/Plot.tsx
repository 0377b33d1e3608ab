// One uPlot in a component: made anew when its make-up changes, else given new data, window or size.
import { useEffect, useLayoutEffect, useRef } from "react";
import uPlot from "uplot";
import type { Window } from "../lib/range";
import type { CursorBoard } from "./cursor";
import type { Frame } from "./options";

interface Props {
  /** Changes when the plot must be made anew: other curves, theme, language or zone. */
  make: string;
  options: (frame: Omit<Frame, "zone" | "locale">) => uPlot.Options;
  data: uPlot.AlignedData;
  window: Window;
  width: number;
  height: number;
  board: CursorBoard;
  /** Painted below and above the curves. */
  below: (u: uPlot) => void;
  above: (u: uPlot) => void;
  /** A drag from one moment to another. */
  onSelect: (from: number, to: number) => void;
  onDoubleClick: () => void;
}

export function Plot(props: Props) {
  const { make, data, window, width, height, board } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;

  useLayoutEffect(() => {
    const u = created(current, holder.current!);
    plot.current = u;
    const follow = (time: number | null, source: unknown) => source !== u && place(u, time);
    board.followers.add(follow);
    return () => {
      board.followers.delete(follow);
      plot.current = null;
      u.destroy();
    };
  }, [make, board]);

  useEffect(() => plot.current?.setSize({ width, height }), [width, height]);

  useLayoutEffect(() => {
    const u = plot.current;
    u?.batch(() => {
      u.setData(data, false);
      u.setScale("x", { min: window.from, max: window.to });
    });
  }, [data, window.from, window.to]);

  return <div ref={holder} className="plot" style={{ height }} aria-hidden="true" />;
}

function created(current: { readonly current: Props }, holder: HTMLElement): uPlot {
  const { options, data, window, width, height, board } = current.current;
  const made = options({
    width,
    height,
    onDoubleClick: () => current.current.onDoubleClick(),
    hooks: {
      drawClear: [(u) => current.current.below(u)],
      draw: [(u) => current.current.above(u)],
      setCursor: [(u) => tell(u, board)],
      setSelect: [(u) => selected(u, current.current.onSelect)],
    },
  });
  Object.assign(made.scales!.x, { min: window.from, max: window.to });
  return new uPlot(made, data, holder);
}

/** Only a cursor that a person moves is told; a redraw is not. */
function tell(u: uPlot, board: CursorBoard): void {
  if (!u.cursor.event) return;
  const left = u.cursor.left ?? -1;
  board.set(left < 0 ? null : u.posToVal(left, "x"), u);
}

function place(u: uPlot, time: number | null): void {
  const left = time === null ? -10 : u.valToPos(time, "x");
  u.setCursor({ left, top: time === null ? -10 : 1 }, false);
}

function selected(u: uPlot, onSelect: Props["onSelect"]): void {
  const { left, width } = u.select;
  if (width < 2) return;
  onSelect(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
