"""Which parts of the shards a window is made from, remembered as long as their files do not change."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from pipeline.checkpoint import Checkpoint
from pipeline.clock import ALWAYS, from_ms
from pipeline.log import event
from pipeline.log_shelf import LogShelf
from pipeline.part import Part, about_log, list_all
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
        self._logs = LogShelf(folder)
        self._abouts: dict[Part, _Version | None] = {}
        self._refused: set[_Version] = set()

    def look(self) -> None:
        """See which parts there are now; what was found in files that have changed or gone is forgotten."""
        parts = {part: _version(path) for part, path in list_all(self.folder).items()}
        self._parts = {part: version for part, version in parts.items() if version}
        self._order = list(self._parts)
        self._days = [part.day for part in self._order]
        self._marred = marred(self._quarantine)
        there = set(self._parts.values())
        self._found = {key: source for key, source in self._found.items() if key[0] in there}
        self._refused &= there
        logs = [part for part in self._order if part.is_log]
        self._abouts = {part: _version(self.folder / about_log(part.day)) for part in logs}
        self._logs.keep(logs)

    def lost(self, recorded: Sequence[Source]) -> list[Source]:
        """The ranges whose part is there no more; a log part that was taken back left word, and is none of them."""
        gone = (source for source in recorded if source.part not in self._parts)
        return [one for one in gone if not (one.part.is_log and (self.folder / about_log(one.day)).exists())]

    def is_emptied(self, window: Window, record: Checkpoint | None) -> bool:
        """Whether a file of a window holds rows of a log alone, and all of them were taken back since."""
        if record is None or (record.start_ms, record.end_ms) != (window.start_ms, window.end_ms):
            return False
        return not self.lost(record.sources) and not self.sources(window)

    def rows(self, source: Source) -> list[tuple[int, bytes]]:
        """Time (ms) and bytes of the rows that a range of a log part has.

        Raises:
            LoggerError, OSError, DirtyPartError: they are others by now, or cannot be read.
        """
        return self._logs.rows(source, [part for part, _ in self._near(source.part)])

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
        found = [self._settled(part, known) or self._source(part, window) for part in self._between(first, last)]
        return sorted(filter(None, found), key=lambda source: (source.first_ms, source.day, source.number))

    def days(self) -> list[date]:
        """The local days that have a part, in order."""
        return sorted(set(self._days))

    def of_day(self, day: date, recorded: Sequence[Source] = ()) -> list[Source]:
        """The ranges of all rows of a local day's parts, by part; of a compressed one what `recorded` says of it."""
        known = {source.part: source for source in recorded}
        found = (self._settled(part, known) or self._find(part, *ALWAYS) for part in self._between(day, day))
        return [source for source in found if source]

    def extent_of(self, day: date) -> tuple[int, int] | None:
        """The times of a local day's first and last row; None where not every part can tell its own."""
        parts = self._between(day, day)
        found = {part: self._find(part, *ALWAYS) for part in parts}
        known = [source for source in found.values() if source]
        # Of a log part any row may be left out; no more than its live parts have to.
        if not known or not all(found[part] or part.is_log for part in parts):
            return None
        return min(source.first_ms for source in known), max(source.last_ms for source in known)

    def is_bare(self, day: date) -> bool:
        """Whether there is no part near any window that ends on a day."""
        return not self._between(day - _LONGEST - _SPREAD, day + _SPREAD)

    def _between(self, first: date, last: date) -> list[Part]:
        return self._order[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def _is_compressed(self, part: Part) -> bool:
        return self._parts[part].path.suffix == ".gz"

    def _near(self, part: Part) -> list[tuple[Part, _Version]]:
        """The live parts whose rows can stand near those of a log part."""
        found = self._between(part.day - 2 * _SPREAD, part.day + 2 * _SPREAD)
        return [(each, self._parts[each]) for each in found if not each.is_log]

    def _settled(self, part: Part, known: Mapping[Part, Source]) -> Source | None:
        """What is known of a compressed part, if that cannot be otherwise any more."""
        source = known.get(part)
        if source is None or not self._is_compressed(part):
            return None
        return source if not part.is_log or self._is_settled(source) else None

    def _is_settled(self, source: Source) -> bool:
        if not all(self._is_compressed(live) for live, _ in self._near(source.part)):
            return False
        with suppress(FileNotFoundError, DirtyPartError):
            return self._logs.is_of(source, self._version_of(source.part))
        return False

    def _version_of(self, log: Part) -> tuple[_Version, _Version | None]:
        return self._parts[log], self._abouts[log]

    def _source(self, part: Part, window: Window) -> Source | None:
        if self._is_compressed(part) and not part.is_log:
            # Looked at once in all: each look at a compressed part reads it whole.
            extent = self._find(part, *ALWAYS)
            if extent is None or extent.last_ms < window.start_ms or window.end_ms <= extent.first_ms:
                return None
        return self._find(part, window.start_ms, window.end_ms)

    def _find(self, part: Part, start_ms: int, end_ms: int) -> Source | None:
        try:
            if part.is_log:
                return self._logs.find(part, self._version_of(part), self._near(part), start_ms, end_ms)
            return self._find_live(part, start_ms, end_ms)
        except FileNotFoundError:
            # It was compressed or deleted in this moment; the next look sees what stands there then.
            return None
        except DirtyPartError as error:
            self._refuse(self._parts[part], error)
            return None

    def _find_live(self, part: Part, start_ms: int, end_ms: int) -> Source | None:
        version = self._parts[part]
        key = (version, part.name in self._marred, start_ms, end_ms)
        if key not in self._found:
            self._found[key] = find(part, version.path, start_ms, end_ms, marred=key[1])
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
