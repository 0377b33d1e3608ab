"""The service's own stages, built as `run` builds them, stepped by hand on a clock that a round turns."""

from __future__ import annotations

import logging
import random
from datetime import datetime
from pathlib import Path

from pipeline import service, settings
from pipeline.simulator import SimulatedPump
from stages.rollup import IDLE_S
from tests.chaos.tally import BrokenError
from tests.parts import TurnedClock
from tests.running import environment

#: Files that one look may make before the rollup counts as spinning.
_MOST_FILES = 400


class SteppedClock(TurnedClock):
    """A clock whose wall time steps where a round wants it, and may stand still; `monotonic` never does either."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.is_frozen = False

    def turn(self, seconds: float) -> None:
        super().turn(seconds)
        if self.is_frozen:
            self.step(-seconds)

    def set(self, wall: datetime) -> None:
        self.step((wall - self.utc()).total_seconds())


class Machine:
    """A service on a folder and a clock, from its start to its stop; `chance` says when writer and rollup get a turn.

    The pump must have sent a reading for each slot of the monotonic grid when it stops.
    """

    def __init__(
        self,
        folder: Path,
        pump: SimulatedPump,
        clock: SteppedClock,
        chance: random.Random,
        *,
        interval_s: int,
        **options: str,
    ) -> None:
        chosen = settings.load(environment(folder, pump.address, **options))
        self._pump = pump
        self._clock = clock
        self._chance = chance
        self._interval_s = interval_s
        self._built = service.build(chosen, clock=clock, interval_s=interval_s)
        self._built.lock.acquire()
        self._begun = self._due = clock.monotonic()
        self._sent_before = pump.answers
        self._complaints = _Complaints()
        logging.getLogger().addHandler(self._complaints)

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        end = self._clock.monotonic() + seconds
        while self._due < end:
            self._clock.turn(max(self._due - self._clock.monotonic(), 0.0))
            now = self._clock.monotonic()
            self._due = now + self._built.poller._step(now)
            assert self._pump.wait_until_alone(5)  # so that the answer is counted before the clock turns
            if self._chance.random() < 0.3:
                self._write()
            if self._chance.random() < 0.1:
                self.roll()
        self._clock.turn(end - self._clock.monotonic())

    def roll(self) -> None:
        """Make all files that are due and let go what is old enough.

        Raises:
            BrokenError: it never ends, or a file could not be made.
        """
        self._write()
        for _ in range(_MOST_FILES):
            pause_s = self._built.roller._step(self._clock.monotonic())
            if pause_s == IDLE_S:
                return
            if pause_s:
                raise BrokenError("a rollup failed")
        raise BrokenError(f"{_MOST_FILES} files made at one look, and still more are due")

    def stop(self) -> None:
        """End as the service does.

        Raises:
            BrokenError: polls are missing or too many, or the service told of an error.
        """
        self._built.store.close()
        self._write()
        self._built.queue.close()
        self._built.lock.release()
        logging.getLogger().removeHandler(self._complaints)
        sent, slots = self._pump.answers - self._sent_before, self._slots()
        if sent != slots:
            raise BrokenError(f"{sent} polls where {slots} slots of the monotonic grid have passed")
        if self._complaints.told:
            raise BrokenError(f"errors were told: {self._complaints.told}")

    def _slots(self) -> int:
        return -int(-(self._clock.monotonic() - self._begun) // self._interval_s)

    def _write(self) -> None:
        while self._built.writer._step(self._clock.monotonic()) == 0:
            pass


class _Complaints(logging.Handler):
    """Keeps what is told as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())
