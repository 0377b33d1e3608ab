"""What a rollup file is put together from: whole lines that are copied, steps of ranges, columns joined by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from pipeline.clock import UTC_LENGTH
from pipeline.span import DirtyPartError, Source
from pipeline.survey import survey


def whole_lines(piece: bytes, columns: int, thorough: bool) -> bytes:
    """The lines that a piece of a part begins with, up to its last line end.

    All of them are looked at where `thorough`. Otherwise what costs next to nothing is: characters that no row holds,
    where lines begin, and that their lengths differ little.

    Raises:
        DirtyPartError: they are not all rows.
    """
    end = piece.rfind(b"\n") + 1
    if not end or b"\0" in piece or not piece.isascii():
        raise DirtyPartError("bytes that no row holds")
    lines = piece[:end]
    if thorough:
        found = survey(BytesIO(lines), columns, 0)
        if found.bad or found.end < end:
            raise DirtyPartError("lines that are no rows")
    else:
        _check_ends(lines)
    return lines


def _check_ends(lines: bytes) -> None:
    at = before = 0
    while at < len(lines):
        end = lines.index(b"\n", at) + 1
        length = end - at
        if lines[at + UTC_LENGTH - 1 : at + UTC_LENGTH + 1] != b"Z,":
            raise DirtyPartError("a line that does not begin with a time")
        if before and not before * 3 < length * 4 < before * 6:
            raise DirtyPartError("a line much longer or shorter than the one before")
        at, before = end, length


def steps(sources: Sequence[Source]) -> list[list[Source]]:
    """Ranges in order of time; those that overlap share a step."""
    found: list[list[Source]] = []
    last_ms = -1
    for source in sources:
        if found and source.first_ms <= last_ms:
            found[-1].append(source)
        else:
            found.append([source])
        last_ms = max(last_ms, source.last_ms)
    return found


def split(header: bytes) -> list[bytes]:
    return header.rstrip(b"\n").split(b",")


def joined(headers: Sequence[bytes]) -> list[bytes]:
    """All columns, in the order in which they first appear."""
    return list(dict.fromkeys(name for header in dict.fromkeys(headers) for name in split(header)))


def arranging(names: list[bytes], columns: list[bytes]) -> Callable[[bytes], bytes]:
    """What brings a row of one header under another."""
    if names == columns:
        return lambda row: row
    place = {name: i for i, name in enumerate(names)}
    order = [place.get(name, -1) for name in columns]

    def arrange(row: bytes) -> bytes:
        cells = [*row.rstrip(b"\n").split(b","), b""]
        return b",".join([cells[i] for i in order]) + b"\n"

    return arrange
