"""The lines of a log part, and which of them count: those that no live row stands near.

Live rows come late, out of the queue or after a step of the clock, so this is decided at each look, the same for every
reader: by time alone, over all live parts, whatever their day. How near is too near stands beside the part.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from pipeline.clock import from_ms
from pipeline.part import Part, about_log, log_of, with_file
from pipeline.schema import LEAD
from pipeline.span import DirtyPartError, first_from, good_lines, header_of, opened, readable
from pipeline.survey import Line, survey

#: A log row counts where no live row is nearer, if nothing tells the poll interval: its own log has a row a minute.
UNTOLD_MS = 60_000
#: A day is a label: its rows lie within so many days of its UTC date.
_SPREAD = timedelta(days=2)


@dataclass(frozen=True)
class LogLines:
    """Lines of a log part: `digest` is another one wherever the part or its interval is, `is_whole` says that nothing
    in the file is damaged.
    """

    header: bytes
    interval_ms: int
    digest: str
    lines: tuple[Line, ...]
    content: bytes
    is_whole: bool

    @property
    def times_ms(self) -> list[int]:
        return [line.time_ms for line in self.lines]

    def rows(self) -> list[tuple[int, bytes]]:
        """Time (ms) and bytes of each line."""
        return [(each.time_ms, self.content[each.offset : each.offset + each.length]) for each in self.lines]


def read(folder: Path, day: date) -> LogLines | None:
    """All good lines of a day's log part; None where it has none.

    Raises:
        OSError: it cannot be read.
        DirtyPartError: it has no header.
    """
    return with_file(folder, log_of(day), lambda path: _lines(path, interval_ms(folder, day)))


def counted(folder: Path, day: date, live: Iterable[Part]) -> LogLines | None:
    """Those that count beside the live parts of a folder.

    Raises:
        OSError, DirtyPartError: as `read`.
    """
    found = read(folder, day)
    if found is None or not found.lines:
        return found
    times, near_ms = found.times_ms, found.interval_ms
    first, last = (from_ms(at).date() for at in (times[0] - near_ms, times[-1] + near_ms))
    parts = [part for part in live if first - _SPREAD <= part.day <= last + _SPREAD]
    covered = {i for part in parts for i in _covered(folder, part, times, near_ms)}
    return replace(found, lines=tuple(line for i, line in enumerate(found.lines) if i not in covered))


def interval_ms(folder: Path, day: date) -> int:
    """The poll interval that stands beside a day's log part, or a fit one where nothing sound does."""
    try:
        told = json.loads((folder / about_log(day)).read_bytes())["interval_ms"]
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return UNTOLD_MS
    return told if type(told) is int and told > 0 else UNTOLD_MS


def _lines(path: Path, near_ms: int) -> LogLines:
    content, is_sound = readable(path)
    header = content[: content.find(b"\n") + 1]
    if not header.startswith(",".join(LEAD).encode() + b","):
        raise DirtyPartError("no header of a log part")
    found = survey(BytesIO(content), header.count(b",") + 1, len(header))
    digest = hashlib.sha256(b"%d %b" % (near_ms, content)).hexdigest()[:12]
    is_whole = is_sound and not found.bad and found.end == found.size
    return LogLines(header, near_ms, digest, tuple(found.good), content, is_whole)


def _covered(folder: Path, part: Part, times: Sequence[int], near_ms: int) -> set[int]:
    """Which of rising times a row of a live part stands near."""
    return with_file(folder, part, lambda path: _covered_by(path, times, near_ms)) or set()


def _covered_by(path: Path, times: Sequence[int], near_ms: int) -> set[int]:
    with opened(path) as content:
        try:
            header = header_of(content)
        except DirtyPartError:
            return set()
        with suppress(DirtyPartError):
            return _hops(times, near_ms, partial(first_from, content, header))
    known = [line.time_ms for line in good_lines(path, header)]
    return _hops(times, near_ms, lambda at: next(iter(known[bisect_left(known, at) :][:1]), None))


def _hops(times: Sequence[int], near_ms: int, first_live: Callable[[int], int | None]) -> set[int]:
    """Which times a live one stands near; `first_live` gives the first live one from a time on."""
    covered: set[int] = set()
    at = 0
    while at < len(times) and (met := first_live(times[at] - near_ms + 1)) is not None:
        # All up to there lie in a gap between live rows.
        begin = bisect_right(times, met - near_ms, at)
        at = bisect_left(times, met + near_ms, begin)
        covered.update(range(begin, at))
    return covered
