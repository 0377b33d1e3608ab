"""What the poller sees of gaps, slot by slot, gathered until the gap book takes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from pipeline.clock import utc_text
from pipeline.gap import CLOCK, Gap, between
from pipeline.log import event

log = logging.getLogger("gaps")

#: Milliseconds by which the wall clock must move against the monotonic one to be told of.
_TOLD_STEP_MS = 2000
#: Gaps that wait for the book at most: it can fail for as long as the disk does.
_MOST_WAITING = 10_000


class GapWatch:
    """Slots as they pass; any thread may ask.

    `interval_s` is the time from slot to slot. A gap is closed by the reading behind it, or by a slot that is missing
    for another reason.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._last_ms: int | None = None
        self._newest_ms: int | None = None
        #: The time of the first slot that passed; None before.
        self.first_ms: int | None = None
        self._ahead_ms: float | None = None
        self._open: Gap | None = None
        self._closed: list[Gap] = []

    def begin(self, newest_ms: int | None) -> None:
        """Tell the time of the newest reading of earlier runs, where a jump of the clock may have begun."""
        with self._lock:
            self._newest_ms = newest_ms

    def stored(self, time_ms: int, now: float) -> None:
        """A slot gave a reading with this time, at `now` on the monotonic clock (s)."""
        with self._lock:
            self._begin(time_ms)
            ahead_ms = time_ms - now * 1000
            if self._ahead_ms is not None:
                stepped_ms = round(ahead_ms - self._ahead_ms)
                unstepped_ms = time_ms - stepped_ms
                before_ms = unstepped_ms if self._open or self._last_ms is None else self._last_ms
                self._close(unstepped_ms)
                if abs(stepped_ms) >= _TOLD_STEP_MS:
                    self._stepped(before_ms, time_ms, stepped_ms)
            self._close(time_ms)
            self._ahead_ms, self._last_ms = ahead_ms, time_ms

    def missed(self, time_ms: int, now: float, slots: int, reason: str) -> None:
        """So many slots gave none, the first of them at this time, and at `now` on the monotonic clock (s)."""
        with self._lock:
            self._begin(time_ms)
            if self._ahead_ms is None:
                self._ahead_ms = time_ms - now * 1000
            gap = self._open
            if gap is None or gap.reason != reason:
                self._close(time_ms)
                begin = self._last_ms if gap is None and self._last_ms is not None else time_ms
                gap = Gap(begin, time_ms, 0, 0, reason)
            missing, last_ms = gap.missing + slots, time_ms + round((slots - 1) * self._interval_s * 1000)
            self._open = replace(gap, to_ms=max(last_ms, gap.from_ms), expected=missing, missing=missing)

    @property
    def open(self) -> Gap | None:
        """The gap that no reading has closed yet, as far as it is known."""
        return self._open

    def closed(self) -> list[Gap]:
        """Gaps that the book does not have yet, in order."""
        with self._lock:
            return list(self._closed)

    def settled(self, gaps: Sequence[Gap]) -> None:
        """The book has taken these."""
        with self._lock:
            del self._closed[: len(gaps)]

    def _begin(self, time_ms: int) -> None:
        if self.first_ms is None:
            self.first_ms = time_ms

    def _close(self, time_ms: int) -> None:
        gap, self._open = self._open, None
        if gap:
            self._keep(replace(gap, to_ms=max(time_ms, gap.from_ms)))

    def _stepped(self, before_ms: int, time_ms: int, stepped_ms: int) -> None:
        event(log, logging.WARNING, "clock stepped", seconds=stepped_ms / 1000, now=utc_text(time_ms))
        if self._newest_ms is not None and before_ms < self._newest_ms < time_ms:
            # A machine without a clock of its own begins in the past: what it jumps over began with its last reading.
            before_ms = self._newest_ms
        if stepped_ms > 0 and (gap := between(before_ms, time_ms, self._interval_s, CLOCK)):
            self._keep(gap)

    def _keep(self, gap: Gap) -> None:
        if len(self._closed) < _MOST_WAITING:
            self._closed.append(gap)
