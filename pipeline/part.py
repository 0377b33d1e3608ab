"""Shard parts as files: their names, and how they are found and opened.

A part is `YYYY-MM-DD.csv`, further ones of the day `.2.csv`, `.3.csv`; older ones end in `.csv.gz`. Its first line is
the header, every other one reading. Beside these live parts stand log parts, `.log.csv`, with rows from the
controller's own log, and `.log.json`, which tells of them.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

T = TypeVar("T")

_NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(log|[2-9]|[1-9]\d+))?\.csv(\.gz)?", re.ASCII)
_ABOUT_LOG = re.compile(r"(\d{4}-\d\d-\d\d)\.log\.json", re.ASCII)
#: Number of a day's log part; live parts count from 1.
LOG_NUMBER = 0
#: Where a gzip file tells the length of what it holds.
_ISIZE = struct.Struct("<I")
#: What reading a damaged compressed file raises.
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
#: No line is longer: 10,000 sensors in each group with 14 characters each stay below it.
MAX_LINE = 1 << 20


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
            return file.readline(MAX_LINE)
        except DAMAGE:
            return b""
