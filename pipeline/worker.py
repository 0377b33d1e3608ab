"""A stage in a thread: step after step, a pause after a failure, for ever until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pipeline.clock import Clock
from pipeline.outage import Outage

log = logging.getLogger("service")

#: Seconds between a step that raised and the next one.
RESTART_S = 5.0
#: Heartbeats that may be missing before a stage counts as silent.
_MISSED_BEATS = 3


class Worker:
    """Calls `step(monotonic now)`, which gives the seconds until it wants to be called again.

    Each step is a heartbeat; one is expected every `period_s`. `wait` is how the stage waits in between; it must end
    early when `wake` is called. Both default to an event.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[float], float],
        clock: Clock,
        *,
        period_s: float = 60.0,
        wait: Callable[[float], object] | None = None,
        wake: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._clock = clock
        self._period_s = period_s
        self._beat_at = clock.monotonic()
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._wake = wake or self._stopped.set
        self._outage = Outage(log, f"stage {name}", clock)
        self._thread: threading.Thread | None = None
        #: Steps that raised and were begun again, and threads that died and were replaced.
        self.restarts = 0

    def start(self) -> None:
        # A daemon: a name look-up that hangs must not keep a stopped process alive.
        self._beat_at = self._clock.monotonic()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def replace_if_dead(self) -> None:
        """Start a new thread where the old one ended without being told to."""
        if self.is_alive or self._stopped.is_set():
            return
        self.restarts += 1
        log.error("thread of stage %s died and is replaced", self.name)
        self.start()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def silent_s(self, now: float) -> float:
        """Seconds without a heartbeat where three of them are missing, else 0."""
        silent_s = now - self._beat_at
        return silent_s if silent_s > _MISSED_BEATS * self._period_s else 0.0

    def stop(self) -> None:
        """Let the thread end after the step it is in."""
        self._stopped.set()
        self._wake()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended, at the latest after so many seconds."""
        if self._thread is not None:
            self._thread.join(max(timeout_s, 0.0))
        return not self.is_alive

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._beat_at = self._clock.monotonic()
            try:
                pause_s = self._step(self._beat_at)
            except Exception as error:  # noqa: BLE001 - whatever it was, the stage goes on
                self._failed(error)
            else:
                self._outage.over(restarts=self.restarts)
                if pause_s > 0:
                    self._wait(pause_s)

    def _failed(self, error: Exception) -> None:
        if self._stopped.is_set():
            log.debug("step of stage %s ended by the stop: %s", self.name, error)
            return
        self.restarts += 1
        facts = {"error": f"{type(error).__name__}: {error}", "restarts": self.restarts, "next_try_s": RESTART_S}
        self._outage.raised(f"stage {self.name} failed", **facts)
        self._stopped.wait(RESTART_S)
