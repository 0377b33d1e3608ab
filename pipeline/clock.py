"""Time as the project keeps it: whole milliseconds of UTC, local time only where a person reads it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

#: From the year 1000 to 9998, milliseconds since 1970: all times whose text and neighbouring days can be told.
ALWAYS = (-30_610_224_000_000, 253_339_228_800_000)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

#: Characters of a time as `utc_text` writes it.
UTC_LENGTH = 24


class Clock(Protocol):
    """What tells the time; a test passes its own."""

    def utc(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never step."""


class SystemClock:
    """The machine's own clocks."""

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970 of an aware time, rounded down.

    Raises:
        ValueError: the time is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {moment.isoformat()}")
    return (moment - _EPOCH) // _MILLISECOND


def to_ms_up(moment: datetime) -> int:
    """The same, rounded up: the first whole millisecond that is not before the time."""
    return -((_EPOCH - moment) // _MILLISECOND)


def from_ms(time_ms: int) -> datetime:
    """The aware UTC time of whole milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=time_ms)


def utc_text(time_ms: int) -> str:
    """UTC as ISO 8601 with milliseconds and Z: fixed width, sorts as text."""
    return from_ms(time_ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time_ms % 1000:03d}Z"


def parse_utc_text(text: str) -> int:
    """Milliseconds since 1970 of a text that `utc_text` made, and of nothing else.

    Raises:
        ValueError: the text has another form.
    """
    if len(text) != UTC_LENGTH or text[10] != "T" or text[19] != "." or text[23] != "Z":
        raise ValueError(f"not a UTC time with milliseconds: {text!r}")
    return to_ms(datetime.fromisoformat(text))


def local_text(time_ms: int, offset_s: int) -> str:
    """Wall time at an offset from UTC as `YYYY-MM-DD HH:MM:SS`, as spreadsheets read it."""
    return (from_ms(time_ms) + timedelta(seconds=offset_s)).strftime("%Y-%m-%d %H:%M:%S")


def local_label(moment: datetime, zone: ZoneInfo) -> tuple[date, int]:
    """The local day of a moment and the zone's offset from UTC in seconds there."""
    local = moment.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return local.date(), int(offset.total_seconds())
