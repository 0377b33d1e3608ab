"""A time without readings: between which two moments, how many polls it cost, and why.

In the gap book it is one line of CSV: `from,to,expected,missing,reason,filled,source`, times in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.clock import parse_utc_text, utc_text

#: The first line of a gap book.
HEADER = "from,to,expected,missing,reason,filled,source\n"

#: Why readings are missing: the pump gave none, the logger did not run, the disk kept none, the clock jumped.
PUMP_SILENT, PUMP_BUSY, PUMP_REFUSED = "pump_silent", "pump_busy", "pump_refused"
LOGGER_OFF, DISK, CLOCK = "logger_off", "disk", "clock"
REASONS = (PUMP_SILENT, PUMP_BUSY, PUMP_REFUSED, LOGGER_OFF, DISK, CLOCK)

#: Records come a minute apart, give or take a second.
_MINUTE_MS = 60_500


@dataclass(frozen=True)
class Gap:
    """No reading lies between two moments (UTC, ms), themselves readings or the border to a gap of another reason.

    `expected` polls were due in between, `missing` of them gave nothing that was kept. `filled` of these have their
    values from elsewhere by now, and `source` says from where; the others stay missing.
    """

    from_ms: int
    to_ms: int
    expected: int
    missing: int
    reason: str
    filled: int = 0
    source: str = ""

    def encode(self) -> str:
        """The gap's line, line end included."""
        times = f"{utc_text(self.from_ms)},{utc_text(self.to_ms)}"
        return f"{times},{self.expected},{self.missing},{self.reason},{self.filled},{self.source}\n"

    def document(self) -> dict[str, str | int]:
        """The same as the members of a JSON object, under the names of the columns."""
        names = HEADER.rstrip("\n").split(",")
        ours = (self.expected, self.missing, self.reason, self.filled, self.source)
        return dict(zip(names, (utc_text(self.from_ms), utc_text(self.to_ms), *ours), strict=True))


def decode(line: str) -> Gap:
    """The gap that `Gap.encode` made this line of.

    Raises:
        ValueError: the line is anything else.
    """
    cells = line.rstrip("\n").split(",")
    if not line.endswith("\n") or len(cells) != HEADER.count(",") + 1:
        raise ValueError(f"not a line of a gap book: {line!r}")
    begin, end, expected, missing, reason, filled, source = cells
    if reason not in REASONS:
        raise ValueError(f"no reason of a gap: {reason!r}")
    return Gap(parse_utc_text(begin), parse_utc_text(end), int(expected), int(missing), reason, int(filled), source)


def share(gap: Gap, begin_ms: int, end_ms: int) -> int:
    """How many of a gap's missing polls were due in [begin, end) ms, spread evenly over its time."""
    length_ms = gap.to_ms - gap.from_ms
    if not length_ms:
        return gap.missing if begin_ms <= gap.from_ms < end_ms else 0
    inside_ms = min(gap.to_ms, end_ms) - max(gap.from_ms, begin_ms)
    return round(gap.missing * max(inside_ms, 0) / length_ms)


def filled(gap: Gap, times_ms: Sequence[int]) -> int:
    """How many of a gap's missing polls have one of some rising times within a minute of their moment.

    A record that comes once a minute stands for all polls of its minute.
    """
    length_ms, steps = gap.to_ms - gap.from_ms, gap.missing + 1
    if length_ms <= 0:
        return gap.missing if any(abs(each - gap.from_ms) <= _MINUTE_MS for each in times_ms) else 0
    count = seen = 0
    for each in times_ms:
        # Poll n was due n * length / steps after the gap's begin: the first and last of those within the minute.
        after_ms = each - gap.from_ms
        first = -((_MINUTE_MS - after_ms) * steps // length_ms)
        last = min((after_ms + _MINUTE_MS) * steps // length_ms, gap.missing)
        count += max(last - max(first, seen + 1) + 1, 0)
        seen = max(seen, last)
    return count


def between(from_ms: int, to_ms: int, interval_s: float, reason: str) -> Gap | None:
    """The gap between two neighbouring readings; None where no poll was due between them."""
    missing = slots(to_ms - from_ms, interval_s)
    return Gap(from_ms, to_ms, missing, missing, reason) if missing else None


def slots(length_ms: int, interval_s: float) -> int:
    """How many polls were due strictly between two moments so far apart, give or take half an interval."""
    return max(round(length_ms / 1000 / interval_s) - 1, 0)


def holes(times_ms: Sequence[int], interval_s: float, reason: str) -> list[Gap]:
    """The gaps between rising times of readings."""
    found = (between(a, b, interval_s, reason) for a, b in pairwise(times_ms))
    return [gap for gap in found if gap]
