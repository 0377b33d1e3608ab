"""How many polls are missing on the local day that it is now, without reading a long book at every look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.clock import to_ms
from pipeline.gap import Gap, share


class Today:
    """The missing polls of a zone's day; `gaps` gives all that are known, and `add` is told of each later one."""

    def __init__(self, zone: ZoneInfo, gaps: Callable[[], Iterable[Gap]]) -> None:
        self._zone = zone
        self._gaps = gaps
        self._day: date | None = None
        self._missing = 0

    def add(self, gaps: Iterable[Gap]) -> None:
        """Count gaps that `gaps` gives from now on."""
        if self._day:
            self._missing += self._of(self._day, gaps)

    def missing(self, now: datetime, open_gap: Gap | None) -> int:
        """The polls that are missing on the day of now, with those of a gap that goes on."""
        day = now.astimezone(self._zone).date()
        if day != self._day:
            self._missing = self._of(day, self._gaps())
            self._day = day
        return self._missing + self._of(day, [open_gap] if open_gap else ())

    def _of(self, day: date, gaps: Iterable[Gap]) -> int:
        begin, end = (datetime.combine(each, time(), self._zone) for each in (day, day + timedelta(days=1)))
        return sum(share(gap, to_ms(begin), to_ms(end)) for gap in gaps)
