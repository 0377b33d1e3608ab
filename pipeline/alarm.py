"""What wakes the rollup: a bell that anybody may ring, and an alarm that rings it at every full minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import schedule

from pipeline.clock import Clock

#: Seconds by which the local clock must move against the monotonic one to count as a step.
_STEP_S = 2.0
#: Any moment; only differences to it count.
_SOME_DAY = datetime(2020, 1, 1)  # noqa: DTZ001


class Bell:
    """A wait that `ring` ends early, also a ring that came before it."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, timeout_s: float) -> None:
        self._rung.wait(timeout_s)
        self._rung.clear()


class Alarm:
    """Wakes the rollup at every full minute of the wall clock; `tick` is to be called about once a second.

    The scheduler computes with naive local time and stalls when that steps back, as it does in October: a step of the
    clock sets it anew.
    """

    def __init__(self, wake: Callable[[], object], clock: Clock) -> None:
        self._wake = wake
        self._clock = clock
        self._scheduler = schedule.Scheduler()
        self._ahead_s = 0.0
        self._set()

    def tick(self) -> None:
        if abs(self._local_ahead_s() - self._ahead_s) > _STEP_S:
            self._set()
        self._scheduler.run_pending()

    def _set(self) -> None:
        self._ahead_s = self._local_ahead_s()
        self._scheduler.clear()
        self._scheduler.every().minute.at(":00").do(self._wake)

    def _local_ahead_s(self) -> float:
        local = datetime.now()  # noqa: DTZ005 - what the scheduler computes with
        return (local - _SOME_DAY).total_seconds() - self._clock.monotonic()
