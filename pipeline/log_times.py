"""The times of all log rows, remembered as long as their files do not change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline import log_part
from pipeline.catalog import Catalog
from pipeline.part import log_of, path_of

#: A file as it was at one moment: its name, its time of change in ns, its size.
_Version = tuple[str, int, int]


class LogTimes:
    """The log parts of a folder; for one thread at a time."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self._folder = folder
        self._catalog = catalog
        self._known: dict[date, tuple[_Version, tuple[int, ...]]] = {}
        self._all: tuple[int, ...] = ()

    def read(self) -> Sequence[int]:
        """The times (ms) of the rows of all parts, rising; the same object while no part changes.

        Raises:
            OSError: a part cannot be read.
        """
        versions = {day: version for day in log_part.days(self._folder) if (version := self._version(day))}
        if versions == {day: version for day, (version, _) in self._known.items()}:
            return self._all
        before, self._known = self._known, {}
        for day, version in versions.items():
            old = before.get(day)
            self._known[day] = old if old and old[0] == version else (version, self._times(day))
        self._all = tuple(sorted(time_ms for _, times in self._known.values() for time_ms in times))
        return self._all

    def _times(self, day: date) -> tuple[int, ...]:
        found = log_part.load(self._folder, self._catalog, day)
        return tuple(row.time_ms for row in found.rows) if found else ()

    def _version(self, day: date) -> _Version | None:
        path = path_of(self._folder, log_of(day))
        try:
            status = path.stat() if path else None
        except FileNotFoundError:  # it was compressed or deleted in this moment
            return None
        return (path.name, status.st_mtime_ns, status.st_size) if path and status else None
