"""How many polls are missing on the local day that it is now, without reading a long book at every look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.clock import to_ms
from pipeline.gap import Gap, share


class Today:
    """The missing polls of a zone's day; `gaps` gives all that are known, and `add` is told of each later one. Where
    `refills` gives another number than before, some of them were filled.
    """

    def __init__(self, zone: ZoneInfo, gaps: Callable[[], Iterable[Gap]], refills: Callable[[], int]) -> None:
        self._zone = zone
        self._gaps = gaps
        self._refills = refills
        self._counted: tuple[date, int] | None = None
        self._missing = 0
        self._filled = 0

    def add(self, gaps: Iterable[Gap]) -> None:
        """Count gaps that `gaps` gives from now on."""
        if self._counted:
            self._missing += self._of(self._counted[0], gaps)

    def missing(self, now: datetime, open_gap: Gap | None) -> tuple[int, int]:
        """The polls that are missing on the day of now, with those of a gap that goes on, and how many were filled."""
        day = now.astimezone(self._zone).date()
        counted = (day, self._refills())
        if counted != self._counted:
            gaps = list(self._gaps())
            self._missing = self._of(day, gaps)
            self._filled = self._of(day, [replace(gap, missing=gap.filled) for gap in gaps if gap.filled])
            self._counted = counted
        return self._missing + self._of(day, [open_gap] if open_gap else ()), self._filled

    def _of(self, day: date, gaps: Iterable[Gap]) -> int:
        begin, end = (datetime.combine(each, time(), self._zone) for each in (day, day + timedelta(days=1)))
        return sum(share(gap, to_ms(begin), to_ms(end)) for gap in gaps)
