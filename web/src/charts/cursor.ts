// The moment that the cursor points at, shared by all charts of a stack and by their readouts.
import { useSyncExternalStore } from "react";

type Listener = () => void;

export class CursorBoard {
  time: number | null = null;
  /** Who moved it last: a plot, or "keys". */
  source: unknown = null;
  private readonly listeners = new Set<Listener>();
  private frame = 0;

  /** The charts follow at once, the readouts with the next frame. */
  readonly followers = new Set<(time: number | null, source: unknown) => void>();

  set(time: number | null, source: unknown): void {
    if (time === this.time) return;
    this.time = time;
    this.source = source;
    for (const follow of this.followers) follow(time, source);
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      for (const listener of this.listeners) listener();
    });
  }

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export function useCursor(board: CursorBoard): number | null {
  return useSyncExternalStore(board.subscribe, () => board.time);
}
