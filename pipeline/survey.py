"""Which lines of a shard part are whole.

A line is good when it ends, has the header's number of fields, holds only characters that a row can have, begins with a
UTC time, and rises: the lines of a part rise strictly in `time`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from pipeline.clock import UTC_LENGTH, parse_utc_text
from pipeline.part import DAMAGE, MAX_LINE

#: Every byte that a whole row may hold: numbers, times, the words of `source`, the line end.
_ALLOWED = b"0123456789-+.,:TZ logiven\n"


class Line(NamedTuple):
    """A good line: its time, where it stands in the uncompressed file, and a digest of its bytes."""

    time_ms: int
    offset: int
    length: int
    digest: bytes


@dataclass
class Survey:
    """What a look at every line of a part found.

    `good` lines rise in time; `bad` are (offset, length) of pieces in front of good lines; `end` is where the last
    good line ends and `size` where the file does: what lies between is a bad tail. `damage` is what ended the look at a
    compressed part too early.
    """

    good: list[Line] = field(default_factory=list)
    bad: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0
    size: int = 0
    damage: Exception | None = None


def digest(line: bytes) -> bytes:
    """What two lines share only if they are equal."""
    return blake2b(line, digest_size=12).digest()


def survey(file: BinaryIO, fields: int, start: int) -> Survey:
    """Look at every line from offset `start`, where the header ended; `fields` is the number of its columns."""
    found = Survey(end=start, size=start)
    try:
        file.seek(start)
    except DAMAGE as error:
        found.damage = error
        return found
    whole: list[Line] = []
    offset = start
    while piece := _next_piece(file, found):
        time_ms = line_time(piece, fields)
        if time_ms is None:
            found.bad.append((offset, len(piece)))
        else:
            whole.append(Line(time_ms, offset, len(piece), digest(piece)))
        offset += len(piece)
    found.size = offset
    _keep_rising(found, whole)
    return found


def _next_piece(file: BinaryIO, found: Survey) -> bytes:
    try:
        return file.readline(MAX_LINE)
    except DAMAGE as error:
        found.damage = error
        return b""


def line_time(line: bytes, fields: int) -> int | None:
    """The time (ms) of a whole line of so many fields; None for a line that is not whole."""
    if not line.endswith(b"\n") or line.count(b",") != fields - 1 or line.translate(None, _ALLOWED):
        return None
    if line[UTC_LENGTH : UTC_LENGTH + 1] != b",":
        return None
    try:
        return parse_utc_text(line[:UTC_LENGTH].decode())
    except ValueError:
        return None


def _keep_rising(found: Survey, whole: list[Line]) -> None:
    keep = longest_rising([line.time_ms for line in whole])
    for i, line in enumerate(whole):
        if i in keep:
            found.good.append(line)
            found.end = line.offset + line.length
        else:
            found.bad.append((line.offset, line.length))
    found.bad = sorted(piece for piece in found.bad if piece[0] < found.end)


def longest_rising(times: list[int]) -> Iterable[int]:
    """Indices of the longest strictly rising choice of times: one mistaken time never condemns the lines after it."""
    if all(a < b for a, b in pairwise(times)):
        return range(len(times))
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for i, time_ms in enumerate(times):
        at = bisect_left(tails, time_ms)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [time_ms]
        ends[at : at + 1] = [i]
    return set(_chain(before, ends[-1]))


def _chain(before: list[int], last: int) -> Iterator[int]:
    while last >= 0:
        yield last
        last = before[last]
