// Fingers, wheel and shifted mouse on a stack of charts: pan, pinch and double tap.
import { type Window, moved, pinched, zoomed } from "../lib/range";

export interface GestureTarget {
  /** The window that is shown when a gesture begins. */
  window: () => Window;
  /** Where the plots lie, in client pixels. */
  area: () => { left: number; width: number };
  onMove: (window: Window) => void;
  onDoubleTap: () => void;
}

const TAP_MS = 300;
const TAP_PX = 10;
const WHEEL_ZOOM = 0.004;

/** Listens on an element; gives what ends it. */
export function listenToGestures(element: HTMLElement, target: GestureTarget): () => void {
  const pointers = new Map<number, { start: number; now: number }>();
  let base = target.window();
  let lastTap = 0;
  let travelled = 0;

  const share = (x: number) => (x - target.area().left) / target.area().width;
  const begin = () => {
    base = target.window();
    for (const pointer of pointers.values()) pointer.start = pointer.now;
  };
  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && !(event.shiftKey && event.button === 0)) return;
    const x = share(event.clientX);
    pointers.set(event.pointerId, { start: x, now: x });
    travelled = pointers.size > 1 ? TAP_PX + 1 : 0;
    begin();
  };
  const move = (event: PointerEvent) => {
    const pointer = pointers.get(event.pointerId);
    if (!pointer) return;
    const x = share(event.clientX);
    travelled += Math.abs(x - pointer.now) * target.area().width;
    pointer.now = x;
    if (travelled > TAP_PX / 2) target.onMove(during(base, [...pointers.values()]));
  };
  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type === "pointerup" && event.pointerType !== "mouse" && travelled <= TAP_PX) tapped(event.timeStamp);
    begin();
  };
  const tapped = (at: number) => {
    if (at - lastTap < TAP_MS) target.onDoubleTap();
    lastTap = at - lastTap < TAP_MS ? 0 : at;
  };
  const wheel = (event: WheelEvent) => {
    const window = target.window();
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!event.ctrlKey && !isSideways) return;
    event.preventDefault();
    const length = window.to - window.from;
    if (event.ctrlKey) {
      target.onMove(zoomed(window, Math.exp(event.deltaY * WHEEL_ZOOM), window.from + share(event.clientX) * length));
    } else target.onMove(moved(window, ((event.deltaX || event.deltaY) / target.area().width) * length));
  };

  const listeners: [string, (event: never) => void][] = [
    ["pointerdown", down],
    ["pointermove", move],
    ["pointerup", up],
    ["pointercancel", up],
    ["pointerleave", up],
    ["wheel", wheel],
  ];
  for (const [name, listener] of listeners) element.addEventListener(name, listener as EventListener, { passive: false });
  return () => {
    for (const [name, listener] of listeners) element.removeEventListener(name, listener as EventListener);
  };
}

/** The window while one finger drags it, or two stretch it. */
function during(base: Window, pointers: { start: number; now: number }[]): Window {
  const [first, second] = pointers;
  if (second) return pinched(base, [first.start, second.start], [first.now, second.now]);
  return moved(base, (first.start - first.now) * (base.to - base.from));
}
