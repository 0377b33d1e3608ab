"""Which rows of log parts count in a window, remembered as long as neither they nor live parts near them change.

A log part's `Source` says with its `header` what a rollup or a day of the archive took from it: the part's digest, and
that of the times which counted in the range. So a record fits until other rows count, whatever the reason.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline import log_lines
from pipeline.errors import LoggerError
from pipeline.log_lines import LogLines
from pipeline.part import Part
from pipeline.span import Source
from pipeline.survey import Line


class _All(NamedTuple):
    """Digest of a log part, and the times of its first and last row, counted or not."""

    digest: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class _Counted:
    """The rows of a log part that count: their times (ms), and where each begins and ends."""

    digest: str
    times_ms: list[int]
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, found: LogLines) -> _Counted:
        lines = found.lines
        starts, ends = [line.offset for line in lines], [line.offset + line.length for line in lines]
        return cls(found.digest, found.times_ms, starts, ends)

    def source(self, part: Part, start_ms: int, end_ms: int) -> Source | None:
        first, end = (bisect_left(self.times_ms, at) for at in (start_ms, end_ms))
        if first == end:
            return None
        times = self.times_ms[first:end]
        header = self.digest + _hash(times)
        places = self.starts[first], self.ends[end - 1]
        return Source(part.day, part.number, header, *places, times[0], times[-1], clean=False)


class LogShelf:
    """The log parts in a folder of shards; a `version` is another one wherever the part or its interval is, `near` are
    live parts whose rows can stand near its own, each with its version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: dict[Part, tuple[Hashable, _All | None]] = {}
        self._counted: dict[Part, tuple[Hashable, _Counted]] = {}

    def keep(self, parts: Collection[Part]) -> None:
        """Forget the parts that are none of these."""
        self._all = {part: found for part, found in self._all.items() if part in parts}
        self._counted = {part: found for part, found in self._counted.items() if part in parts}

    def find(
        self, part: Part, version: Hashable, near: Sequence[tuple[Part, Hashable]], start_ms: int, end_ms: int
    ) -> Source | None:
        """The range of rows that count in [start, end); None where none does.

        Raises:
            FileNotFoundError, DirtyPartError: as for a live part.
        """
        every = self._every(part, version)
        if every is None or every.last_ms < start_ms or end_ms <= every.first_ms:
            return None
        key = (version, *near)
        if part not in self._counted or self._counted[part][0] != key:
            self._counted[part] = key, _Counted.of(self._read(part, [live for live, _ in near]))
        return self._counted[part][1].source(part, start_ms, end_ms)

    def is_of(self, source: Source, version: Hashable) -> bool:
        """Whether a range was taken from a part as it stands there now.

        Raises:
            FileNotFoundError, DirtyPartError: as for a live part.
        """
        every = self._every(source.part, version)
        return every is not None and source.header.startswith(every.digest)

    def rows(self, source: Source, live: Iterable[Part]) -> list[tuple[int, bytes]]:
        """Time (ms) and bytes of the rows of a range.

        Raises:
            LoggerError: others count by now.
            OSError, DirtyPartError: as for a live part.
        """
        found = self._read(source.part, live)
        rows = [row for row in found.rows() if source.first_ms <= row[0] <= source.last_ms]
        if found.digest + _hash([time_ms for time_ms, _ in rows]) != source.header:
            raise LoggerError(f"{source.part.name} or live rows near its own came while a file was made from it")
        return rows

    def _every(self, part: Part, version: Hashable) -> _All | None:
        if part not in self._all or self._all[part][0] != version:
            found = log_lines.read(self._folder, part.day)
            ends = _ends(found.lines) if found else None
            self._all[part] = version, _All(found.digest, *ends) if found and ends else None
        return self._all[part][1]

    def _read(self, part: Part, live: Iterable[Part]) -> LogLines:
        found = log_lines.counted(self._folder, part.day, live)
        if found is None:
            raise FileNotFoundError(f"{part.name} went")
        return found


def _ends(lines: Sequence[Line]) -> tuple[int, int] | None:
    return (lines[0].time_ms, lines[-1].time_ms) if lines else None


def _hash(times_ms: Sequence[int]) -> str:
    return hashlib.sha256(repr(list(times_ms)).encode()).hexdigest()[:12]
