"""Shard parts as files: their names, and which of their lines are whole.

A part is `YYYY-MM-DD.csv`, further ones of the day `.2.csv`, `.3.csv`; older ones end in `.csv.gz`. Its first line is
the header, every other one reading, rising strictly in `time`. A line is good when it ends, has the header's number of
fields, holds only characters that a row can have, begins with a UTC time, and rises. Beside these live parts stand log
parts, `.log.csv`, with rows from the controller's own log, and `.log.json`, which tells of them.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, cast

from pipeline.clock import parse_utc_text

T = TypeVar("T")

_NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(log|[2-9]|[1-9]\d+))?\.csv(\.gz)?", re.ASCII)
_ABOUT_LOG = re.compile(r"(\d{4}-\d\d-\d\d)\.log\.json", re.ASCII)
#: Number of a day's log part; live parts count from 1.
LOG_NUMBER = 0
#: Every byte that a whole row may hold: numbers, times, the words of `source`, the line end.
_ALLOWED = b"0123456789-+.,:TZ logiven\n"
_TIME_LENGTH = 24
#: Where a gzip file tells the length of what it holds.
_ISIZE = struct.Struct("<I")
#: What reading a damaged compressed file raises.
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
#: No line is longer: 10,000 sensors in each group with 14 characters each stay below it.
_MAX_LINE = 1 << 20


@dataclass(frozen=True, order=True)
class Part:
    """Which part of which local day."""

    day: date
    number: int

    @property
    def name(self) -> str:
        """The plain file's name."""
        if self.is_log:
            return f"{self.day}.log.csv"
        return f"{self.day}.csv" if self.number == 1 else f"{self.day}.{self.number}.csv"

    @property
    def is_log(self) -> bool:
        """Whether its rows come from the controller's own log."""
        return self.number == LOG_NUMBER


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


def log_of(day: date) -> Part:
    """The log part of a day."""
    return Part(day, LOG_NUMBER)


def about_log(day: date) -> str:
    """The name of the file that tells of a day's log part."""
    return f"{day}.log.json"


def parse_name(name: str) -> Part | None:
    """The live part that a file name stands for; None for a name that is none."""
    part = parse_any(name)
    return None if part and part.is_log else part


def parse_any(name: str) -> Part | None:
    """The part, live or log, that a file name stands for; None for a name that is not ours."""
    match = _NAME.fullmatch(name)
    if match is None or (day := _day(match[1])) is None:
        return None
    return log_of(day) if match[2] == "log" else Part(day, int(match[2] or 1))


def day_of(name: str) -> date | None:
    """The local day of a part, or of the log part that a file tells of; None for a name that is not ours."""
    if match := _ABOUT_LOG.fullmatch(name):
        return _day(match[1])
    part = parse_any(name)
    return part.day if part else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def list_parts(folder: Path) -> dict[Part, Path]:
    """The files of all live parts in a folder, in order of day and number; where a plain and a gz stand, the plain."""
    return {part: path for part, path in list_all(folder).items() if not part.is_log}


def list_all(folder: Path) -> dict[Part, Path]:
    """The same with log parts, each before the live ones of its day."""
    found: dict[Part, Path] = {}
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            part = parse_any(entry.name)
            if part and entry.is_file() and (entry.name.endswith(".csv") or part not in found):
                found[part] = folder / entry.name
    return dict(sorted(found.items()))


def path_of(folder: Path, part: Part) -> Path | None:
    """The file of a part in a folder, found without listing it; where a plain and a gz stand, the plain one."""
    plain = folder / part.name
    return next((path for path in (plain, folder / f"{part.name}.gz") if path.is_file()), None)


def with_file(folder: Path, part: Part, use: Callable[[Path], T]) -> T | None:
    """What `use` gives of a part's file, which is looked for once more where it vanished: compression gives it another
    name. None where there is none.
    """
    for _ in range(2):
        path = path_of(folder, part)
        if path is None:
            return None
        with suppress(FileNotFoundError):
            return use(path)
    return None


def open_part(path: Path) -> BinaryIO:
    """A part's file, read as if it were not compressed."""
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def size(path: Path) -> int:
    """Bytes of a part's uncompressed file; of a compressed one below 4 GiB as its last four bytes tell (RFC 1952)."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        if path.suffix != ".gz":
            return end
        file.seek(max(end - _ISIZE.size, 0))
        tail = file.read()
    return int(_ISIZE.unpack(tail)[0]) if len(tail) == _ISIZE.size else 0


def first_line(path: Path) -> bytes:
    """A part's header as it stands there; nothing where a compressed part cannot be read."""
    with open_part(path) as file:
        try:
            return file.readline(_MAX_LINE)
        except DAMAGE:
            return b""


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
        return file.readline(_MAX_LINE)
    except DAMAGE as error:
        found.damage = error
        return b""


def line_time(line: bytes, fields: int) -> int | None:
    """The time (ms) of a whole line of so many fields; None for a line that is not whole."""
    if not line.endswith(b"\n") or line.count(b",") != fields - 1 or line.translate(None, _ALLOWED):
        return None
    if line[_TIME_LENGTH : _TIME_LENGTH + 1] != b",":
        return None
    try:
        return parse_utc_text(line[:_TIME_LENGTH].decode())
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
