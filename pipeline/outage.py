"""How a lasting trouble is told: a line when it begins, one an hour, one when it is over."""

from __future__ import annotations

import logging

from pipeline.clock import Clock, to_ms, utc_text
from pipeline.log import event

#: Seconds between two lines about the same lasting trouble.
REMINDER_S = 3600.0


class Outage:
    """A trouble of one thing (`what`); `missed` counts readings that it cost since it began."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._since: tuple[float, str] | None = None
        self._told = 0.0
        self.missed = 0

    @property
    def lasting(self) -> bool:
        return self._since is not None

    def seen(self, message: str, **facts: object) -> None:
        """Tell of the trouble if it is new or an hour has passed since the last line."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now, utc_text(to_ms(self._clock.utc()))
            event(self._log, logging.ERROR, message, gap_from=self._since[1], **facts)
        elif now - self._told >= REMINDER_S:
            event(self._log, logging.WARNING, f"{self._what} still failing", gap_from=self._since[1], **facts)
        else:
            event(self._log, logging.DEBUG, message, **facts)
            return
        self._told = now

    def over(self, **facts: object) -> None:
        """Tell that it is over, if there was a trouble, with how long it lasted."""
        if self._since is None:
            return
        began, gap_from = self._since
        lasted_s = round(self._clock.monotonic() - began, 1)
        until = utc_text(to_ms(self._clock.utc()))
        event(
            self._log,
            logging.WARNING,
            f"{self._what} works again",
            gap_from=gap_from,
            gap_to=until,
            lasted_s=lasted_s,
            **facts,
        )
        self._since = None
        self.missed = 0
