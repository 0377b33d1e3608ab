"""Which parts of the shards a window is made from, remembered as long as their files do not change."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from pipeline.clock import ALWAYS, from_ms
from pipeline.log import event
from pipeline.part import Part, list_parts
from pipeline.repair import marred
from pipeline.span import DirtyPartError, Source, find
from pipeline.window import KINDS, Window

log = logging.getLogger("rollup")

#: A day is a label: its rows lie within so many days of its UTC date.
_SPREAD = timedelta(days=2)
#: So long before the day on which it ends a window may begin, in UTC too.
_LONGEST = timedelta(days=max(KINDS.values()) + 1)


class _Version(NamedTuple):
    """A file as it was at one moment."""

    path: Path
    mtime_ns: int
    size: int


class Shelf:
    """The folder of shards as the rollup saw it at its last `look`."""

    def __init__(self, folder: Path, quarantine: Path) -> None:
        self.folder = folder
        self._quarantine = quarantine
        self._marred: set[str] = set()
        self._parts: dict[Part, _Version] = {}
        self._order: list[Part] = []
        self._days: list[date] = []
        self._found: dict[tuple[_Version, bool, int, int], Source | None] = {}
        self._refused: set[_Version] = set()

    def look(self) -> None:
        """See which parts there are now; what was found in files that have changed or gone is forgotten."""
        parts = {part: _version(path) for part, path in list_parts(self.folder).items()}
        self._parts = {part: version for part, version in parts.items() if version}
        self._order = list(self._parts)
        self._days = [part.day for part in self._order]
        self._marred = marred(self._quarantine)
        there = set(self._parts.values())
        self._found = {key: source for key, source in self._found.items() if key[0] in there}
        self._refused &= there

    def lost(self, recorded: Sequence[Source]) -> list[Source]:
        """The ranges whose part is there no more."""
        return [source for source in recorded if source.part not in self._parts]

    def first_ms(self) -> int | None:
        """The time of the first row; None where there is none."""
        begun = next((part.day for part in self._order if self._find(part, *ALWAYS)), None)
        if begun is None:
            return None
        # A clock that was set back, or another zone, lets a later part begin earlier.
        near = self._between(begun, begun + 2 * _SPREAD)
        return min(found.first_ms for part in near if (found := self._find(part, *ALWAYS)))

    def sources(self, window: Window, recorded: Sequence[Source] = ()) -> list[Source]:
        """The ranges of all parts that lie in a window, in order of time.

        A compressed part does not change any more, so what `recorded` says of it is taken as it is.
        """
        known = {source.part: source for source in recorded}
        first, last = from_ms(window.start_ms).date() - _SPREAD, from_ms(window.end_ms).date() + _SPREAD
        found = [
            (known.get(part) if self._is_compressed(part) else None) or self._source(part, window)
            for part in self._between(first, last)
        ]
        return sorted(filter(None, found), key=lambda source: (source.first_ms, source.day, source.number))

    def days(self) -> list[date]:
        """The local days that have a part, in order."""
        return sorted(set(self._days))

    def of_day(self, day: date, recorded: Sequence[Source] = ()) -> list[Source]:
        """The ranges of all rows of a local day's parts, by part; of a compressed one what `recorded` says of it."""
        known = {source.part: source for source in recorded}
        parts = self._between(day, day)
        found = (
            (known.get(part) if self._is_compressed(part) else None) or self._find(part, *ALWAYS) for part in parts
        )
        return [source for source in found if source]

    def extent_of(self, day: date) -> tuple[int, int] | None:
        """The times of a local day's first and last row; None where not every part can tell its own."""
        found = [self._find(part, *ALWAYS) for part in self._between(day, day)]
        known = [source for source in found if source]
        if not known or len(known) < len(found):
            return None
        return min(source.first_ms for source in known), max(source.last_ms for source in known)

    def is_bare(self, day: date) -> bool:
        """Whether there is no part near any window that ends on a day."""
        return not self._between(day - _LONGEST - _SPREAD, day + _SPREAD)

    def _between(self, first: date, last: date) -> list[Part]:
        return self._order[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def _is_compressed(self, part: Part) -> bool:
        return self._parts[part].path.suffix == ".gz"

    def _source(self, part: Part, window: Window) -> Source | None:
        if self._is_compressed(part):
            # Looked at once in all: each look at a compressed part reads it whole.
            extent = self._find(part, *ALWAYS)
            if extent is None or extent.last_ms < window.start_ms or window.end_ms <= extent.first_ms:
                return None
        return self._find(part, window.start_ms, window.end_ms)

    def _find(self, part: Part, start_ms: int, end_ms: int) -> Source | None:
        version = self._parts[part]
        key = (version, part.name in self._marred, start_ms, end_ms)
        if key not in self._found:
            try:
                self._found[key] = find(part, version.path, start_ms, end_ms, marred=key[1])
            except FileNotFoundError:
                # It was compressed or deleted in this moment; the next look sees what stands there then.
                return None
            except DirtyPartError as error:
                self._refuse(version, error)
                return None
        return self._found[key]

    def _refuse(self, version: _Version, error: Exception) -> None:
        if version not in self._refused:
            event(log, logging.ERROR, "part left out of rollups", file=version.path, error=error)
        self._refused.add(version)


def _version(path: Path) -> _Version | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return _Version(path, stat.st_mtime_ns, stat.st_size)
