"""The wish to stop, from a signal or from inside: set anywhere, awaited by the main loop.

A signal handler only notes the signal and wakes the loop through a pipe: an event's own lock could be held by the very
thread that the handler interrupts. Nothing heavy is imported here, so that the handlers stand first.
"""

from __future__ import annotations

import os
import select
import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether to stop and by which signal; `wait` ends early when it is time."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.wanted = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def listen(self) -> None:
        """Let SIGTERM and SIGINT ask for the stop; only the main thread may call this."""
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def set(self) -> None:
        """Ask for the stop."""
        self.wanted = True
        os.write(self._write, b".")

    def wait(self, seconds: float) -> bool:
        """Whether a stop was asked for, at the latest after so many seconds."""
        if not self.wanted:
            select.select([self._read], [], [], seconds)
        return self.wanted

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)

    def _handle(self, number: int, _frame: object) -> None:
        if not self.wanted:
            self.signal = number
            self.set()
