"""Concatenates shards into daily and weekly files: what is due is read from disk, one file a step, oldest first."""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import checkpoint, files, window
from pipeline.checkpoint import Checkpoint
from pipeline.clock import Clock, from_ms
from pipeline.errors import LoggerError
from pipeline.log import event
from pipeline.outage import Outage
from pipeline.part import Part
from pipeline.rollup_file import PART_SUFFIX, RollupFile
from pipeline.shelf import Shelf
from pipeline.window import Window

log = logging.getLogger("rollup")

#: Seconds between two looks at what is due; a wake comes earlier.
IDLE_S = 60.0
#: Seconds between a failed try and the second one.
RETRY_S = 5.0
#: Empty windows that are told of one by one; a long gap found at the start takes one line.
_MOST_LINES = 4
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
        self._bare: set[date] = set()
        self._dirty: set[Part] = set()
        self._unfinished: list[Window] = []
        self._hollow: list[Window] = []
        self._outage = Outage(log, "rollup", clock)
        #: Files made since the start, by kind.
        self.made: Counter[str] = Counter()
        #: Seconds that they took.
        self.took_s: defaultdict[str, float] = defaultdict(float)

    def step(self, _now: float) -> float:
        """Make the oldest file that is due; gives the seconds until the next step."""
        with self._lock():
            due = [one for one in self.due(self._clock.utc()) if one not in self._given_up]
            if due:
                return self._try(due[0])
            self._clear_away({one.name for one in self._unfinished})
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
        self.look()
        waiting = self._oldest_waiting()
        missing = [one for one in self._ended(now) if not self.is_current(one)]
        early = [one for one in missing if waiting is not None and waiting < one.end_ms]
        due = self._with_data(one for one in missing if one not in early)
        self._hollow = [one for one in missing if self._shelf.is_emptied(one, self._record(one))]
        self._unfinished = [*due, *early]
        return due

    def windows(self, now: datetime) -> list[Window]:
        """All windows that have ended and hold readings, within the retention, oldest first."""
        self.look()
        return self._with_data(self._ended(now))

    def look(self) -> None:
        """See which shards there are now."""
        self._shelf.look()

    def needed_from(self) -> date | None:
        """The first day whose shards an unfinished file still needs, by the last look; None where none does."""
        return min((from_ms(one.start_ms).date() - timedelta(days=1) for one in self._unfinished), default=None)

    def build(self, one: Window, progress: Callable[[int, int], object] = lambda _done, _total: None) -> Checkpoint:
        """Make the file of a window from the shards as they are.

        Raises:
            LoggerError, OSError: it was not made.
        """
        self.look()
        sources = self._shelf.sources(one)
        if not sources:
            raise LoggerError(f"no readings in {one}", hint="no file is made of an empty window")
        folder = self._folders[one.kind]
        self._refuse_to_shrink(one)
        files.make_folder(folder)
        making = RollupFile(
            folder,
            one,
            sources,
            self._shelf.folder,
            logged=self._shelf.rows,
            reserve=self._reserve,
            progress=progress,
            stopping=self._stopping.is_set,
            dirty=self._dirty,
        )
        begun = self._clock.monotonic()
        record = making.build()
        self.made[one.kind] += 1
        self.took_s[one.kind] += self._clock.monotonic() - begun
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
                level = logging.DEBUG if self._outage.lasting else logging.WARNING
                event(log, level, "rollup failed, tried once more", window=one, error=error, pause_s=RETRY_S)
                return RETRY_S
            self._given_up.add(one)
            self._outage.raised("rollup failed twice, tried again at the next look", window=one, error=error)
        return 0.0

    def _ended(self, now: datetime) -> Iterator[Window]:
        """All windows that have ended, within the retention and not before the first shard, oldest first."""
        begun_ms = self._shelf.first_ms()
        if begun_ms is None:
            return
        # No zone is further behind UTC than a day.
        first = from_ms(begun_ms).date() - timedelta(days=1)
        last = window.last_ended(now, self._csv_time, self._zone)
        if self._retention_days:
            first = max(first, last - timedelta(days=self._retention_days - 1))
        for day in map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)):
            # A clock that once showed 1970 leaves decades without a shard: they are looked at and told of once.
            if day in self._bare and self._shelf.is_bare(day):
                continue
            for kind in window.KINDS:
                one = self.window(day, kind)
                if one.end_ms > begun_ms:
                    yield one

    def is_current(self, one: Window) -> bool:
        """Whether the file of a window stands there and was made from what the shards hold now.

        A file that was made from shards which are gone by now is kept: made anew it would hold less.
        """
        record = self._record(one)
        if record is None:
            return False
        if self._shelf.lost(record.sources):
            return True
        if not checkpoint.is_of_length(record, self._folders[one.kind] / one.name):
            return False
        # Ranges that were found for another window say nothing of this one.
        known = record.sources if (record.start_ms, record.end_ms) == (one.start_ms, one.end_ms) else ()
        return list(record.sources) == self._shelf.sources(one, known)

    def cut_otherwise(self, one: Window) -> Checkpoint | None:
        """The record of a window's file if other borders made it: another CSV_TIME or TIMEZONE was in force."""
        record = self._record(one)
        return record if record and (record.start_ms, record.end_ms) != (one.start_ms, one.end_ms) else None

    def _record(self, one: Window) -> Checkpoint | None:
        """The record of a window's file; None where the file or its record is not there whole."""
        target = self._folders[one.kind] / one.name
        record = checkpoint.load(target) if checkpoint.stands(target) else None
        return record if record and record.finished else None

    def _refuse_to_shrink(self, one: Window) -> None:
        record = self._record(one)
        if record and (lost := self._shelf.lost(record.sources)):
            said = f"{self._folders[one.kind] / one.name} was made from {', '.join(each.part.name for each in lost)}"
            raise LoggerError(f"{said}, gone since", hint="delete the file to make it from what is left")

    def _with_data(self, windows: Iterable[Window]) -> list[Window]:
        """The windows in which readings lie; each of the others is told of once, many at once in one line."""
        has_data = {one: bool(self._shelf.sources(one)) for one in windows}
        new = [one for one, has in has_data.items() if not has and one not in self._empty]
        self._empty.update(new)
        self._bare.update(one.day for one in new)
        if len(new) <= _MOST_LINES:
            for one in new:
                event(log, logging.WARNING, "no readings in a window, no file is made", window=one)
        else:
            facts = {"windows": len(new), "first": new[0], "last": new[-1]}
            event(log, logging.WARNING, "no readings in many windows, no files are made", **facts)
        return [one for one, has in has_data.items() if has]

    def _clear_away(self, unfinished: Collection[str]) -> None:
        """Remove what dead jobs left: part files and checkpoints of files that are not in the making."""
        for one in self._hollow:
            checkpoint.discard(self._folders[one.kind] / one.name)
            event(log, logging.INFO, "rollup deleted, its rows were taken back", window=one)
        for folder in self._folders.values():
            files.remove_leftovers(folder)
            for suffix in (PART_SUFFIX, checkpoint.SUFFIX):
                for path in folder.glob(f"*.csv{suffix}"):
                    target = path.with_name(path.name.removesuffix(suffix))
                    is_record = suffix == checkpoint.SUFFIX and checkpoint.stands(target)
                    if window.parse_name(target.name) and target.name not in unfinished and not is_record:
                        path.unlink()
