"""Which bytes of a part lie in a window: found by binary search, since a part rises in time."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.clock import UTC_LENGTH, parse_utc_text
from pipeline.log import event
from pipeline.part import DAMAGE, Part, open_part
from pipeline.schema import LEAD
from pipeline.survey import Line, line_time, survey

log = logging.getLogger("rollup")

#: Bytes read at once while a line's end is looked for: a little more than a usual row.
_BLOCK = 8192
#: Bytes of a compressed part read at once.
_PIECE = 1 << 16
#: No header is longer: 30,000 names of 30 characters.
_MAX_HEADER = 1 << 20


class DirtyPartError(ValueError):
    """Raised where a part's bytes are not the rising lines that a search needs."""


@dataclass(frozen=True)
class Source:
    """A range of whole lines of a part, uncompressed offsets, with its first and last time.

    `clean` says that the range may be copied as it is; otherwise it holds bad lines that are passed over.
    """

    day: date
    number: int
    header: str
    start: int
    end: int
    first_ms: int
    last_ms: int
    clean: bool = True

    @property
    def part(self) -> Part:
        return Part(self.day, self.number)

    def encode(self) -> dict[str, Any]:
        return asdict(self) | {"day": self.day.isoformat()}

    @classmethod
    def decode(cls, document: dict[str, Any]) -> Source:
        return cls(**document | {"day": date.fromisoformat(document["day"])})


class Bytes:
    """Random access to a part as if it were not compressed; a compressed one is held in memory whole."""

    def __init__(self, path: Path) -> None:
        self._content = b""
        self._file = None
        if path.suffix == ".gz":
            self._content, _ = readable(path)
            self.size = len(self._content)
        else:
            self._file = path.open("rb", buffering=0)
            self.size = os.fstat(self._file.fileno()).st_size

    def at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from an offset on, as many as there are."""
        if self._file is None:
            return self._content[offset : offset + length]
        return os.pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def next_line(self, offset: int) -> int:
        """Where the first line behind an offset begins; the size where none does."""
        while block := self.at(offset, _BLOCK):
            found = block.find(b"\n")
            if found >= 0:
                return offset + found + 1
            offset += len(block)
        return self.size

    def time_at(self, offset: int) -> int:
        """The time (ms) of the line that begins at an offset.

        Raises:
            DirtyPartError: no time stands there.
        """
        try:
            return parse_utc_text(self.at(offset, UTC_LENGTH).decode())
        except ValueError as error:
            raise DirtyPartError(str(error)) from error


def readable(path: Path) -> tuple[bytes, bool]:
    """A part's content, uncompressed, as far as it can be read, and whether that is all."""
    pieces: list[bytes] = []
    with open_part(path) as file:
        try:
            # `read` would lose what it had of a piece when the damage comes.
            while piece := file.read1(_PIECE):  # type: ignore[attr-defined]
                pieces.append(piece)
        except DAMAGE:
            return b"".join(pieces), False
    return b"".join(pieces), True


@contextmanager
def opened(path: Path) -> Iterator[Bytes]:
    content = Bytes(path)
    try:
        yield content
    finally:
        content.close()


def header_of(content: Bytes) -> bytes:
    """The first line of a part.

    Raises:
        DirtyPartError: it is no header of ours.
    """
    end = content.next_line(0)
    header = content.at(0, min(end, _MAX_HEADER))
    if not header.endswith(b"\n") or not header.startswith(",".join(LEAD).encode() + b","):
        raise DirtyPartError("no header of a shard")
    return header


def hash_of(header: bytes) -> str:
    return hashlib.sha256(header).hexdigest()[:12]


def find(part: Part, path: Path, start_ms: int, end_ms: int, *, marred: bool = False) -> Source | None:
    """The range of a part's lines in [start, end); None where no line lies there.

    `marred` says that bad lines are known to stand in it, so that every line must be looked at.

    Raises:
        DirtyPartError: the part has no header.
        FileNotFoundError: the part has another name by now.
    """
    with opened(path) as content:
        header = header_of(content)
        if not marred:
            try:
                return _search(part, content, header, start_ms, end_ms)
            except DirtyPartError as error:
                event(log, logging.WARNING, "part looked at line by line", file=path, error=error)
    lines = [line for line in good_lines(path, header) if start_ms <= line.time_ms < end_ms]
    if not lines:
        return None
    first, last = lines[0], lines[-1]
    end = last.offset + last.length
    return Source(part.day, part.number, hash_of(header), first.offset, end, first.time_ms, last.time_ms, clean=False)


def good_lines(path: Path, header: bytes) -> list[Line]:
    """Every good line of a part, looked at one by one."""
    with open_part(path) as file:
        return survey(file, header.count(b",") + 1, len(header)).good


def first_from(content: Bytes, header: bytes, time_ms: int) -> int | None:
    """The time of a part's first row at a time or later; None where there is none.

    Raises:
        DirtyPartError: what was met on the way is no row.
    """
    whole = _after_last_newline(content, len(header), content.size)
    at = _first_at(content, time_ms, len(header), whole)
    if at >= whole:
        return None
    found = line_time(content.at(at, content.next_line(at) - at), header.count(b",") + 1)
    if found is None or found < time_ms:
        raise DirtyPartError("a line that is no row")
    return found


def _search(part: Part, content: Bytes, header: bytes, start_ms: int, end_ms: int) -> Source | None:
    # The writer may be in the middle of a line behind the last whole one.
    whole = _after_last_newline(content, len(header), content.size)
    start = _first_at(content, start_ms, len(header), whole)
    end = _first_at(content, end_ms, start, whole)
    if start == end:
        return None
    first_ms, last_ms = content.time_at(start), content.time_at(_after_last_newline(content, start, end - 1))
    if not start_ms <= first_ms <= last_ms < end_ms:
        raise DirtyPartError("times that do not rise")
    return Source(part.day, part.number, hash_of(header), start, end, first_ms, last_ms)


def _after_last_newline(content: Bytes, begin: int, end: int) -> int:
    """Where the last line that ends in [begin, end) ends; `begin` where none does."""
    while end > begin:
        block_start = max(begin, end - _BLOCK)
        found = content.at(block_start, end - block_start).rfind(b"\n")
        if found >= 0:
            return block_start + found + 1
        end = block_start
    return begin


def _first_at(content: Bytes, time_ms: int, begin: int, end: int) -> int:
    """Where the first line with this time or a later one begins, among the lines of [begin, end)."""
    answer, left, right = end, begin, end
    while left < right:
        middle = (left + right) // 2
        line = middle if middle == left else content.next_line(middle - 1)
        if line >= right:
            right = middle
        elif content.time_at(line) < time_ms:
            left = content.next_line(line)
        else:
            answer, right = line, middle
    return answer
