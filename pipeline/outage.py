"""How a lasting trouble is told: a line when it begins, one an hour, one when it is over."""

from __future__ import annotations

import logging

from pipeline.clock import Clock, to_ms, utc_text
from pipeline.log import event, failure

#: Seconds between two lines about the same lasting trouble.
REMINDER_S = 3600.0


class Outage:
    """A trouble of one thing (`what`); `missed` counts readings that it cost since it began."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._begun: tuple[str, float] | None = None
        self._told_at = 0.0
        self.lasting = False
        self.missed = 0

    def seen(self, message: str, /, **facts: object) -> None:
        """Tell of the trouble if it is new or an hour has passed since the last line."""
        if heading := self._heading(message):
            event(self._log, logging.ERROR, heading, since=self._since, **facts)
        else:
            event(self._log, logging.DEBUG, message, **facts)

    def raised(self, message: str, /, **facts: object) -> None:
        """The same, with the exception at hand as `failure` tells it."""
        if heading := self._heading(message):
            failure(self._log, heading, since=self._since, **facts)
        else:
            event(self._log, logging.DEBUG, message, **facts)

    def begin(self) -> None:
        """Note when a trouble began that may yet pass without a line."""
        self._begun = self._begun or (utc_text(to_ms(self._clock.utc())), self._clock.monotonic())

    def over(self, **facts: object) -> None:
        """Tell that it is over, if it was told of, with how long it lasted."""
        if self.lasting and self._begun:
            since, at = self._begun
            until = utc_text(to_ms(self._clock.utc()))
            facts |= {"since": since, "until": until, "lasted_s": round(self._clock.monotonic() - at, 1)}
            event(self._log, logging.WARNING, f"{self._what} works again", **facts)
        self._begun = None
        self.lasting = False
        self.missed = 0

    @property
    def _since(self) -> str:
        return self._begun[0] if self._begun else ""

    def _heading(self, message: str) -> str:
        """The line's words if it is time for a line, else nothing."""
        now = self._clock.monotonic()
        self.begin()
        if not self.lasting:
            self.lasting = True
        elif now - self._told_at < REMINDER_S:
            return ""
        else:
            message = f"{self._what} still failing: {message}"
        self._told_at = now
        return message
