"""Compresses and deletes what is old enough, by the dates in the names, and never faster than a clock can be wrong."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import checkpoint, files, window
from pipeline.clock import Clock
from pipeline.compress import compress
from pipeline.log import event
from pipeline.part import Part, day_of, list_all, list_parts

log = logging.getLogger("retain")

#: Days of shards, and of files that no shard could make again, that may be deleted at the start, and then in each
#: period: one wrong clock must not delete a year.
DAYS_AT_ONCE = 3
PERIOD_S = 86_400.0
#: What shards are counted as, beside the kinds of files that are made from them.
SHARDS = "shards"
#: Which newest day with a shard the age counts from; it is never later than now.
_NTH_NEWEST = 3


class Retain:
    """All that is old enough a step.

    `kinds` gives the folder of daily and weekly files; `closed` keeps the writer away from a day; `renew` is called
    when parts were renamed or deleted; `lock` keeps commands by hand apart, which read shards; `needed_from` tells the
    first day that an unfinished job still needs.
    """

    def __init__(
        self,
        shards: Path,
        kinds: Mapping[str, Path],
        *,
        csv_retention_days: int,
        shard_retention_days: int,
        compress_after_days: int,
        zone: ZoneInfo,
        clock: Clock,
        closed: Callable[[date], AbstractContextManager[object]],
        renew: Callable[[], object],
        lock: Callable[[], AbstractContextManager[object]] = nullcontext,
        needed_from: Callable[[], date | None] = lambda: None,
    ) -> None:
        self._shards = shards
        self._kinds = kinds
        self._csv_retention_days = csv_retention_days
        self._shard_retention_days = shard_retention_days
        self._compress_after_days = compress_after_days
        self._zone = zone
        self._clock = clock
        self._closed = closed
        self._renew = renew
        self._lock = lock
        self._needed_from = needed_from
        self._period_began = clock.monotonic()
        #: Days that went in this period, by kind.
        self._deleted: Counter[str] = Counter()
        # A process before this one may have ended between a change of the shards and the renewal.
        self._must_renew = True

    def step(self) -> None:
        """Delete and compress what is old enough now.

        Raises:
            OSError: a file could not be deleted or compressed; the rest is done at the next step.
        """
        counted_from = self.counted_from()
        if counted_from is not None:
            with self._lock():
                self._retain(counted_from)

    def _retain(self, counted_from: date) -> None:
        if self._clock.monotonic() - self._period_began >= PERIOD_S:
            self._period_began = self._clock.monotonic()
            self._deleted.clear()
        needed_from = self._needed_from() or date.max
        if self._must_renew:
            self._renewed()
        deleted = [*self._delete_derived(counted_from), *self._delete_shards(counted_from, needed_from)]
        if deleted:
            event(log, logging.INFO, "old files deleted", files=len(deleted), bytes_freed=sum(deleted))
        compressed = [*self._compress_shards(counted_from, needed_from), *self._compress_derived(counted_from)]
        if compressed:
            event(log, logging.INFO, "old files compressed", files=len(compressed), bytes_freed=sum(compressed))

    def counted_from(self) -> date | None:
        """The day that ages count from: the third newest day up to today that has a shard; None if there are fewer."""
        today = self._clock.utc().astimezone(self._zone).date()
        days = sorted({part.day for part in list_parts(self._shards) if part.day <= today})
        return days[-_NTH_NEWEST] if len(days) >= _NTH_NEWEST else None

    def shard_limit(self) -> date | None:
        """The newest day whose shards may go by their age now; None where none may."""
        counted_from = self.counted_from()
        if counted_from is None or not self._shard_retention_days:
            return None
        return counted_from - timedelta(days=self._shard_retention_days)

    def _delete_derived(self, counted_from: date) -> Iterator[int]:
        if not self._csv_retention_days:
            return
        limit = counted_from - timedelta(days=self._csv_retention_days)
        parts = list_all(self._shards)
        for kind, folder in self._kinds.items():
            old = [path for path in _derived(folder) if _day(path) <= limit]
            # What the shards cannot make again goes no faster than they do.
            single = [path for path in old if _is_single(path, parts)]
            staying = single[DAYS_AT_ONCE - self._deleted[kind] :]
            self._deleted[kind] += len(single) - len(staying)
            for path in sorted(set(old) - set(staying)):
                size = path.stat().st_size
                # The file first: a record without its file is cleared away, a file without its record is made anew.
                path.unlink()
                checkpoint.remove(_plain(path))
                yield size
            if old:
                files.sync_folder(folder)

    def _delete_shards(self, counted_from: date, needed_from: date) -> Iterator[int]:
        if not self._shard_retention_days:
            return
        limit = counted_from - timedelta(days=self._shard_retention_days)
        there = {day for path in self._shards.iterdir() if (day := day_of(path.name))}
        days = sorted(day for day in there if day <= limit and day < needed_from)
        for day in days[: DAYS_AT_ONCE - self._deleted[SHARDS]]:
            self._must_renew = True
            with self._closed(day):
                yield from self._delete_day(day)
            self._deleted[SHARDS] += 1
            self._renewed()

    def _renewed(self) -> None:
        self._renew()
        self._must_renew = False

    def _delete_day(self, day: date) -> Iterator[int]:
        # What tells of a log part goes first: left alone it would say that the log was taken back.
        for path in sorted(self._shards.iterdir(), key=lambda path: (path.suffix != ".json", path)):
            if day_of(path.name) == day:
                size = path.stat().st_size
                path.unlink()
                yield size
        files.sync_folder(self._shards)

    def _compress_shards(self, counted_from: date, needed_from: date) -> Iterator[int]:
        if not self._compress_after_days:
            return
        limit = counted_from - timedelta(days=self._compress_after_days)
        old = [(part, path) for part, path in list_all(self._shards).items() if part.day <= limit]
        for part, path in old:
            if path.suffix == ".csv" and part.day < needed_from:
                self._must_renew = True
                yield compress(path, partial(self._closed, part.day))
                self._renewed()

    def _compress_derived(self, counted_from: date) -> Iterator[int]:
        if not self._compress_after_days:
            return
        limit = counted_from - timedelta(days=self._compress_after_days)
        for path in _derived(self._kinds["daily"]):
            if path.suffix == ".csv" and _day(path) <= limit:
                yield compress(path)
        weeklies = _derived(self._kinds["weekly"])
        today = self._clock.utc().astimezone(self._zone).date()
        # One with a later day was made while the clock was wrong.
        newest = max((day for day in map(_day, weeklies) if day <= today), default=counted_from)
        # The newest stays plain, and the one before it until the newest has stood for a day.
        kept = newest if newest < today else newest - timedelta(days=1)
        for path in weeklies:
            if path.suffix == ".csv" and _day(path) < kept:
                yield compress(path)


def _derived(folder: Path) -> list[Path]:
    """Our own daily and weekly files in a folder, compressed or not, by name."""
    return sorted(path for path in folder.glob("*.csv*") if window.parse_name(path.name))


def _is_single(path: Path, parts: Collection[Part]) -> bool:
    """Whether a daily or weekly file holds what stands in no shard any more, or may do."""
    record = checkpoint.load(_plain(path))
    return record is None or any(source.part not in parts for source in record.sources)


def _plain(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz"))


def _day(path: Path) -> date:
    parsed = window.parse_name(path.name)
    if parsed is None:
        raise ValueError(f"not a file of ours: {path}")
    return parsed[0]
