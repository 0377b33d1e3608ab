"""Polls the pump on a fixed grid of the monotonic clock and hands each whole answer on; a missed slot stays missed."""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.clock import Clock, to_ms, utc_text
from pipeline.errors import BufferFullError, PumpError
from pipeline.gap import DISK, PUMP_SILENT
from pipeline.gap_watch import GapWatch
from pipeline.log import event
from pipeline.outage import Outage
from pipeline.reading import Answer
from pipeline.sensors import Controller, controller

log = logging.getLogger("poll")

#: Seconds before the second, third and fourth attempt; later ones wait as long as the last.
BACKOFF_S = (2.0, 4.0, 8.0)
#: Share by which a pause may be longer or shorter, so that two clients do not stay in step.
JITTER = 0.2


class Grid:
    """The slots at start, start + interval, ...: when the next poll is due and how many slots went by unused."""

    def __init__(self, interval_s: float) -> None:
        self._start: float | None = None
        self.interval_s = interval_s
        self._used = 0

    def begin(self, now: float) -> float:
        """The start of the grid: the first moment this was asked."""
        if self._start is None:
            self._start = now
        return self._start

    def take_next(self, now: float) -> tuple[float, int]:
        """The first slot from now on that is still free, and how many before it were skipped."""
        start = self.begin(now)
        slot = max(self._used + 1, math.ceil((now - start) / self.interval_s))
        skipped = slot - self._used - 1
        self._used = slot
        return start + slot * self.interval_s, skipped


class Poll:
    """One attempt to read the pump a step.

    `read` gives a whole answer or raises `PumpError`; `add` takes it with its time; `address` is for the log.
    """

    def __init__(
        self,
        read: Callable[[], Answer],
        add: Callable[[datetime, Answer], object],
        *,
        address: str,
        interval_s: float,
        retries: int,
        clock: Clock,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._read = read
        self._add = add
        self.address = address
        self._attempts = retries + 1
        self._clock = clock
        self._jitter = jitter
        self._grid = Grid(interval_s)
        #: Each slot that passed.
        self.gaps = GapWatch(interval_s)
        self._reason = PUMP_SILENT
        self._due = -math.inf
        self._attempt = 0
        self._polled_at, self._polled_now = clock.utc(), clock.monotonic()
        self.controller: Controller | None = None
        self._outage = Outage(log, "pump", clock)
        #: Polls that stored a reading, slots that stored none; seconds that whole reads took.
        self.polls = 0
        self.missed = 0
        self.read_s = 0.0
        #: Attempts that failed, by the reason of the gap that they make; those that were tried once more.
        self.failed: Counter[str] = Counter()
        self.retries = 0

    @property
    def failures(self) -> int:
        """Attempts that failed."""
        return self.failed.total()

    def step(self, now: float) -> float:
        """Read once if a read is due; gives the seconds until the next step is."""
        if now < self._due:
            return self._due - now
        self._grid.begin(now)
        self._attempt += 1
        if self._attempt == 1:
            self._polled_at, self._polled_now = self._clock.utc(), now
        self._outage.begin()
        try:
            answer = self._read()
        except PumpError as error:
            self._failed(error, now)
        else:
            self.read_s += self._clock.monotonic() - now
            self._arrived(answer)
        return max(self._due - self._clock.monotonic(), 0.0)

    def _arrived(self, answer: Answer) -> None:
        self._introduce(answer)
        moment, now = self._clock.utc(), self._clock.monotonic()
        stored = self._stored(moment, now, answer)
        self._outage.over(address=self.address, missed=self._outage.missed)
        attempts = self._attempt
        # Slots that went by while the answer came lie before it, those that went by while it was stored behind it.
        was_held = self._clock.monotonic() - now >= self._grid.interval_s
        if skipped := self._next_slot():
            event(log, logging.WARNING, "slots skipped", address=self.address, slots=skipped, attempts=attempts)
        if skipped and not was_held:
            self.gaps.missed(to_ms(self._polled_at), self._polled_now, skipped, self._reason)
        if stored:
            self.gaps.stored(to_ms(moment), now)
        if skipped and was_held:
            interval = timedelta(seconds=self._grid.interval_s)
            self.gaps.missed(to_ms(moment + interval), now + self._grid.interval_s, skipped, DISK)
        self._reason = PUMP_SILENT

    def _stored(self, moment: datetime, now: float, answer: Answer) -> bool:
        try:
            self._add(moment, answer)
        except BufferFullError:
            # The store has counted and named it: the poll itself was sound.
            self.missed += 1
            self.gaps.missed(to_ms(moment), now, 1, DISK)
            return False
        self.polls += 1
        return True

    def _introduce(self, answer: Answer) -> None:
        found = controller(answer)
        if found != self.controller:
            facts = {"firmware": found.firmware, "pump": found.pump, "counts": found.counts}
            event(log, logging.INFO, "controller answers", address=self.address, **facts)
        self.controller = found

    def _failed(self, error: PumpError, started: float) -> None:
        self.failed[error.kind] += 1
        self._reason = error.kind
        last = self._attempt >= self._attempts
        pause_s = None if last else self._pause_s(error)
        facts = {
            "address": self.address,
            "attempt": f"{self._attempt}/{self._attempts}",
            "reading": error.reading,
            "got": f"{error.got}/{error.wanted} bytes",
            "elapsed_s": round(self._clock.monotonic() - started, 3),
            "error": error,
        }
        if pause_s is None:
            self._give_up(facts)
            return
        self.retries += 1
        self._due = self._clock.monotonic() + pause_s
        level = logging.DEBUG if self._outage.lasting else logging.WARNING
        event(log, level, "read failed", **facts, next_try_s=pause_s)

    def _give_up(self, facts: dict[str, object]) -> None:
        missed = 1 + self._next_slot()
        self.missed += 1
        self._outage.missed += missed
        self.gaps.missed(to_ms(self._polled_at), self._polled_now, missed, self._reason)
        next_poll_s = self._due - self._clock.monotonic()
        gap = {
            "gap_from": utc_text(to_ms(self._polled_at)),
            "gap_to": utc_text(to_ms(self._clock.utc() + timedelta(seconds=next_poll_s))),
            "missed": self._outage.missed,
        }
        self._outage.seen("poll given up", **facts, **gap, next_poll_s=next_poll_s)

    def _pause_s(self, error: PumpError) -> float:
        if error.wait_s is not None:
            return error.wait_s
        usual_s = BACKOFF_S[min(self._attempt, len(BACKOFF_S)) - 1]
        return usual_s * self._jitter(1 - JITTER, 1 + JITTER)

    def _next_slot(self) -> int:
        self._due, skipped = self._grid.take_next(self._clock.monotonic())
        self.missed += skipped
        self._attempt = 0
        return skipped
