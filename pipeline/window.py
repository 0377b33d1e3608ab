"""The windows of daily and weekly files: from `CSV_TIME` to `CSV_TIME` in local wall time, as UTC instants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pipeline.clock import to_ms, utc_text

#: Local days that a window of each kind covers.
KINDS = MappingProxyType({"daily": 1, "weekly": 7})

_NAME = re.compile(r"(\d{4}-\d\d-\d\d)_(daily|weekly)\.csv(?:\.gz)?", re.ASCII)


@dataclass(frozen=True)
class Window:
    """[start, end) in ms of UTC; `day` is the local day on which it ends, and names its file."""

    day: date
    kind: str
    start_ms: int
    end_ms: int

    @property
    def name(self) -> str:
        return f"{self.day}_{self.kind}.csv"

    def __str__(self) -> str:
        return f"{self.kind} {self.day} ({utc_text(self.start_ms)} to {utc_text(self.end_ms)})"


def ending_on(day: date, kind: str, csv_time: time, zone: ZoneInfo) -> Window:
    """The window of a kind that ends on a local day; neighbours share their border, so that windows tile."""
    return Window(day, kind, _border(day - timedelta(days=KINDS[kind]), csv_time, zone), _border(day, csv_time, zone))


def last_ended(now: datetime, csv_time: time, zone: ZoneInfo) -> date:
    """The newest local day whose windows have ended."""
    today = now.astimezone(zone).date()
    return today if _border(today, csv_time, zone) <= to_ms(now) else today - timedelta(days=1)


def parse_name(name: str) -> tuple[date, str] | None:
    """Day and kind that a file's name stands for; None for a name that is not ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1]), match[2]
    except ValueError:
        return None


def _border(day: date, csv_time: time, zone: ZoneInfo) -> int:
    # Where the clock is put back the first of the two equal times counts (fold 0); where it is put forward and the
    # time does not exist, the instant that its old offset gives.
    return to_ms(datetime.combine(day, csv_time, zone))
