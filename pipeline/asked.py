"""What a request asks for, from the text of its query: sensors, a window of time, points; each within its limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline import period, rules
from pipeline.clock import from_ms
from pipeline.errors import QueryError

#: Most sensors, points and days at full resolution of one request.
MOST_SENSORS, LEAST_POINTS, MOST_POINTS, MOST_DAYS = 40, 2, 5000, 40
#: How long a window is that says nothing.
USUAL = timedelta(days=1)

_MS = re.compile(r"[0-9]{1,14}")
#: The times that any reading can have.
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(MAXYEAR - 1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The times from `start` to before `end`, aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Export:
    """An export in the texts that name it; `more` are the options that the command has under the same names."""

    form: str
    sensors: str | None
    groups: str | None
    start: str | None
    end: str | None
    more: Mapping[str, str | None]


def names(text: str | None, most: int | None = MOST_SENSORS) -> list[str]:
    """Names with commas between them, each once.

    Raises:
        QueryError: there are too many.
    """
    found = list(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))
    if most is not None and len(found) > most:
        raise QueryError(f"{len(found)} sensors are too many", hint=f"ask for {most} at most")
    return found


def window(start: str | None, end: str | None, zone: ZoneInfo, now: datetime) -> Window:
    """The window between two moments; the last day where none is given.

    Raises:
        QueryError: one of them is no moment, or the end lies before the start.
    """
    last = _moment("to", end, zone, now) if end else now
    first = _moment("from", start, zone, now) if start else last - USUAL
    if last < first:
        raise QueryError(f"the end {end!r} lies before the start {start!r}", hint="change them")
    return Window(max(first, FIRST), max(min(last, LAST), FIRST))


def points(text: str | None, asked: Window) -> int | None:
    """How many points there may be; None for every value.

    Raises:
        QueryError: a number out of range, or a window too long for every value.
    """
    if text is None:
        if asked.end - asked.start > timedelta(days=MOST_DAYS):
            days = (asked.end - asked.start).days
            raise QueryError(f"{days} days are too many for every value", hint="ask with points=1000")
        return None
    if not text.isascii() or not text.isdecimal() or not LEAST_POINTS <= int(text[:9]) <= MOST_POINTS or len(text) > 9:
        raise QueryError(f"points must be from {LEAST_POINTS} to {MOST_POINTS}, not {text!r}", hint="about one a pixel")
    return int(text)


def _moment(name: str, text: str, zone: ZoneInfo, now: datetime) -> datetime:
    if _MS.fullmatch(text):
        return from_ms(int(text))
    try:
        if found := rules.moment(text):
            return period.moment(found, zone, now)
    except (ValueError, OverflowError):
        pass
    raise QueryError(
        f"{name} must be a time, not {text!r}",
        hint="a day (2026-10-01), an ISO time, days ago (-30d) or ms since 1970; write + as %2B",
    )
