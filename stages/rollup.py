"""Concatenates shards into daily and weekly files: what is due is read from disk, one file a step, oldest first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import checkpoint, files, window
from pipeline.checkpoint import Checkpoint
from pipeline.clock import Clock
from pipeline.errors import LoggerError
from pipeline.log import event
from pipeline.outage import Outage
from pipeline.rollup_file import PART_SUFFIX, RollupFile
from pipeline.shelf import Shelf
from pipeline.window import Window

log = logging.getLogger("rollup")

#: Seconds between two looks at what is due; a wake comes earlier.
IDLE_S = 60.0
#: Seconds between a failed try and the second one.
RETRY_S = 5.0
#: Bytes of the disk that a rollup leaves to the readings.
RESERVE = 200_000_000


class Rollup:
    """One file a step.

    `folders` gives the folder of each kind; `oldest_waiting` the time (ms) of the oldest reading that is in no shard
    yet; `lock` keeps commands by hand and the service apart.
    """

    def __init__(
        self,
        shelf: Shelf,
        folders: Mapping[str, Path],
        *,
        csv_time: time,
        zone: ZoneInfo,
        retention_days: int,
        clock: Clock,
        lock: Callable[[], AbstractContextManager[object]],
        oldest_waiting: Callable[[], int | None] = lambda: None,
        reserve: int = RESERVE,
    ) -> None:
        self._shelf = shelf
        self._folders = folders
        self._csv_time = csv_time
        self._zone = zone
        self._retention_days = retention_days
        self._clock = clock
        self._lock = lock
        self._oldest_waiting = oldest_waiting
        self._reserve = reserve
        self._stopping = threading.Event()
        self._failed: set[Window] = set()
        self._given_up: set[Window] = set()
        self._empty: set[Window] = set()
        self._outage = Outage(log, "rollup", clock)
        #: Files made since the start.
        self.made = 0

    def step(self, _now: float) -> float:
        """Make the oldest file that is due; gives the seconds until the next step."""
        with self._lock():
            due = [one for one in self.due(self._clock.utc()) if one not in self._given_up]
            if due:
                return self._try(due[0])
            self._clear_away()
        if not self._given_up:
            self._outage.over()
        self._failed.clear()
        self._given_up.clear()
        return IDLE_S

    def stop(self) -> None:
        """End a file in the making between two chunks; its checkpoint says where it goes on."""
        self._stopping.set()

    def due(self, now: datetime) -> list[Window]:
        """Windows whose file is missing or was made from other readings than stand in the shards now, oldest first."""
        self._shelf.look()
        waiting = self._oldest_waiting()
        return [
            one
            for one in self._windows(now)
            if (waiting is None or waiting >= one.end_ms) and not self._fits(one) and self._has_data(one)
        ]

    def build(self, one: Window, progress: Callable[[int, int], object] = lambda _done, _total: None) -> Checkpoint:
        """Make the file of a window from the shards as they are.

        Raises:
            LoggerError, OSError: it was not made.
        """
        self._shelf.look()
        sources = self._shelf.sources(one)
        if not sources:
            raise LoggerError(f"no readings in {one}", hint="no file is made of an empty window")
        folder = self._folders[one.kind]
        files.make_folder(folder)
        making = RollupFile(
            folder,
            one,
            sources,
            self._shelf.folder,
            reserve=self._reserve,
            progress=progress,
            stopping=self._stopping.is_set,
        )
        record = making.build()
        self.made += 1
        event(log, logging.INFO, "rollup made", file=making.target, bytes=record.length, sources=len(sources))
        return record

    def window(self, day: date, kind: str) -> Window:
        """The window of a kind that ends on a local day."""
        return window.ending_on(day, kind, self._csv_time, self._zone)

    def _try(self, one: Window) -> float:
        try:
            self.build(one)
        except Exception as error:  # noqa: BLE001 - the other windows are made, and this one is tried again
            if self._stopping.is_set():
                return IDLE_S
            if one not in self._failed:
                self._failed.add(one)
                event(log, logging.WARNING, "rollup failed, tried once more", window=one, error=error, pause_s=RETRY_S)
                return RETRY_S
            self._given_up.add(one)
            self._outage.raised("rollup failed twice, tried again at the next look", window=one, error=error)
        return 0.0

    def _windows(self, now: datetime) -> Iterator[Window]:
        """All windows that have ended, within the retention and not before the first shard, oldest first."""
        begun = self._shelf.first()
        if begun is None:
            return
        first = begun.day
        last = window.last_ended(now, self._csv_time, self._zone)
        if self._retention_days:
            first = max(first, last - timedelta(days=self._retention_days - 1))
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            for kind in window.KINDS:
                one = self.window(date.fromordinal(ordinal), kind)
                if one.end_ms > begun.first_ms:
                    yield one

    def _fits(self, one: Window) -> bool:
        """Whether the file of a window stands there and was made from what the shards hold now."""
        target = self._folders[one.kind] / one.name
        compressed = target.with_name(target.name + ".gz")
        if not target.exists() and not compressed.exists():
            return False
        record = checkpoint.load(target)
        if record is None or not record.finished:
            return False
        return list(record.sources) == self._shelf.sources(one, record.sources)

    def _has_data(self, one: Window) -> bool:
        if self._shelf.sources(one):
            return True
        if one not in self._empty:
            self._empty.add(one)
            event(log, logging.WARNING, "no readings in a window, no file is made", window=one)
        return False

    def _clear_away(self) -> None:
        """Remove what dead jobs left: nothing is due, so no part file is wanted, and no checkpoint without its file."""
        for folder in self._folders.values():
            files.remove_leftovers(folder)
            for part in folder.glob(f"*.csv{PART_SUFFIX}"):
                if window.parse_name(part.name.removesuffix(PART_SUFFIX)):
                    part.unlink()
            for path in folder.glob(f"*.csv{checkpoint.SUFFIX}"):
                target = path.with_name(path.name.removesuffix(checkpoint.SUFFIX))
                is_made = target.exists() or target.with_name(target.name + ".gz").exists()
                if window.parse_name(target.name) and not is_made:
                    path.unlink()
