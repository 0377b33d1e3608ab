"""A year at hand: every reading of every local day that has shards, at full resolution, asked for by sensor and time.

A day counts as it stands in the archive's file where it was made from what its shards hold now; every other day, the
open one above all, is read from the shards. Days are labels whose rows may lie in each other, so the rows of all days
that touch a window are merged by time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline import column_codec
from pipeline.archive_file import ArchiveFile, Snapshot, StoredDay
from pipeline.buckets import BUCKET_MS, Buckets, combine, length_for, reduce
from pipeline.clock import from_ms, to_ms
from pipeline.columns import Column, Columns, Integers, Times
from pipeline.errors import QueryError
from pipeline.sensors import Sensor
from pipeline.series import ReducedSeries, Series
from pipeline.shelf import Shelf
from pipeline.span import Source

#: A day is a label: its rows lie within so many days of its UTC date.
_SPREAD = timedelta(days=2)


@dataclass(frozen=True)
class _Window:
    """[start, end) in ms since 1970."""

    start_ms: int
    end_ms: int

    def cut(self, times_ms: Times) -> slice:
        """Which of rising times lie in it."""
        first, last = np.searchsorted(times_ms, (self.start_ms, self.end_ms))
        return slice(int(first), int(last))

    def holds(self, day: StoredDay) -> bool:
        """Whether all rows of a day lie in it."""
        return bool(day.rows) and self.start_ms <= day.first_ms and day.last_ms < self.end_ms

    def meets(self, day: StoredDay) -> bool:
        """Whether any row of a day may lie in it."""
        return bool(day.rows) and day.first_ms < self.end_ms and self.start_ms <= day.last_ms


class Archive:
    """The archive of a folder of shards.

    `shelf` tells which parts there are, `read` gives the columns of a local day from its shards.
    """

    def __init__(self, path: Path, shelf: Shelf, read: Callable[[date], tuple[Columns, Sequence[str]]]) -> None:
        self._file = ArchiveFile(path)
        self._shelf = shelf
        self._read = read

    def due(self) -> list[date]:
        """Days whose shards hold something else than the archive was made from, newest first.

        Raises:
            ArchiveError: its file cannot be read.
        """
        self._shelf.look()
        known = self._stored()
        return sorted((day for day in self._shelf.days() if not self._fits(day, known.get(day))), reverse=True)

    def days(self) -> list[date]:
        """The days that stand there, in order.

        Raises:
            ArchiveError: the file cannot be read.
        """
        return list(self._stored())

    def add(self, day: date) -> int:
        """Take in a day as its shards hold it now; gives how many rows that are.

        Raises:
            ArchiveError, OSError: the archive stands as it did.
        """
        self._shelf.look()
        # Before the rows: what is appended meanwhile makes the day due again.
        record = _record(self._sources(day, None))
        columns, schemas = self._read(day)
        self._file.add(day, record, columns, schemas)
        return len(columns.times_ms)

    def drop(self, limit: date) -> list[date]:
        """Remove the days up to a limit whose shards are gone; gives which.

        Raises:
            ArchiveError: they stand as they did.
        """
        self._shelf.look()
        there = set(self._shelf.days())
        old = [day for day in self._stored() if day <= limit and day not in there]
        if old:
            self._file.drop(old)
        return old

    def discard(self) -> None:
        """Begin anew.

        Raises:
            OSError: something of the file is still there.
        """
        self._file.discard()

    def query(
        self, names: Sequence[str], start: datetime, end: datetime, points: int | None = None
    ) -> list[Series] | list[ReducedSeries]:
        """The readings of [start, end) of some sensors by name, in that order.

        Without `points` every value; with it, as many aligned buckets at most. A name whose unit or scale changed gives
        a series for each of its meanings.

        Raises:
            QueryError: a name that no day has, an end before the start, a time without a zone, or no points.
            ArchiveError, OSError: what is asked for cannot be read.
        """
        window = _window(start, end, points)
        self._shelf.look()
        if not self._file.path.exists():
            return _Look(None, {}, self._from_shards(window, {}), window).series(names, points)
        with self._file.snapshot() as snapshot:
            stored = {day: one for day, one in snapshot.days().items() if self._fits(day, one)}
            shards = self._from_shards(window, stored)
            days = {day: one for day, one in stored.items() if window.meets(one)}
            return _Look(snapshot, days, shards, window).series(names, points)

    def _stored(self) -> Mapping[date, StoredDay]:
        if not self._file.path.exists():
            return {}
        with self._file.snapshot() as snapshot:
            return snapshot.days()

    def _fits(self, day: date, stored: StoredDay | None) -> bool:
        """Whether a day stands there as its shards hold it; one whose shards are gone is kept as it is."""
        if stored is None:
            return False
        recorded = [Source.decode(each) for each in json.loads(stored.record)]
        return bool(self._shelf.lost(recorded)) or self._sources(day, recorded) == recorded

    def _sources(self, day: date, recorded: Sequence[Source] | None) -> list[Source]:
        return self._shelf.of_day(day, recorded or ())

    def _from_shards(self, window: _Window, stored: Mapping[date, StoredDay]) -> list[Columns]:
        first, last = (from_ms(at).date() for at in (window.start_ms, window.end_ms))
        near = (day for day in self._shelf.days() if first - _SPREAD <= day <= last + _SPREAD)
        return [self._read(day)[0] for day in near if day not in stored]


class _Look:
    """One query: days of the archive, and days that are read from the shards."""

    def __init__(
        self, snapshot: Snapshot | None, days: Mapping[date, StoredDay], shards: Sequence[Columns], window: _Window
    ) -> None:
        self._snapshot = snapshot
        self._days = days
        self._shards = shards
        self._window = window
        self._ids = snapshot.sensors() if snapshot else {}
        self._times: dict[date, Times] = {}

    def series(self, names: Sequence[str], points: int | None) -> list[Series] | list[ReducedSeries]:
        wanted = self._named(names)
        if points is None:
            return [Series(sensor, *self._whole(sensor)) for sensor in wanted]
        length_ms = length_for(self._window.end_ms - self._window.start_ms, points)
        return [ReducedSeries.of(sensor, length_ms, self._reduced(sensor, length_ms)) for sensor in wanted]

    def _named(self, names: Sequence[str]) -> list[Sensor]:
        known: dict[str, list[Sensor]] = {}
        for sensor in dict.fromkeys([*self._ids, *(each for columns in self._shards for each in columns.columns)]):
            known.setdefault(sensor.name, []).append(sensor)
        if unknown := [name for name in names if name not in known]:
            raise QueryError(f"no sensor {', '.join(unknown)}", hint="`sensors` lists all names")
        return [sensor for name in names for sensor in known[name]]

    def _whole(self, sensor: Sensor) -> tuple[Times, np.ndarray]:
        pieces = [*self._stored_values(sensor, list(self._days)), *self._shard_values(sensor)]
        if not pieces:
            return np.zeros(0, np.int64), np.zeros(0)
        times, values = (np.concatenate(each) for each in zip(*pieces, strict=True))
        order = np.argsort(times, kind="stable")
        return times[order], values[order] / sensor.divisor

    def _reduced(self, sensor: Sensor, length_ms: int) -> Buckets:
        pieces: list[Buckets] = []
        days = list(self._days)
        if length_ms % BUCKET_MS == 0:
            inner = [day for day in days if self._window.holds(self._days[day])]
            pieces += self._stored_buckets(sensor, inner)
            days = [day for day in days if day not in set(inner)]
        values = [*self._stored_values(sensor, days), *self._shard_values(sensor)]
        pieces += [reduce(times, raws, length_ms) for times, raws in values if len(times)]
        return combine(pieces, length_ms)

    def _stored_buckets(self, sensor: Sensor, days: Sequence[date]) -> Iterator[Buckets]:
        for day, data, buckets in self._encoded(sensor, days, whole=False):
            if buckets is not None:
                yield column_codec.decode_buckets(buckets)
            else:
                times = self._times_of(day)
                column = column_codec.decode(data, len(times))
                yield reduce(times, column.spread(len(times)), BUCKET_MS)

    def _stored_values(self, sensor: Sensor, days: Sequence[date]) -> Iterator[tuple[Times, Integers]]:
        for day, data, _ in self._encoded(sensor, days, whole=True):
            times = self._times_of(day)
            yield self._present(times, column_codec.decode(data, len(times)))

    def _encoded(
        self, sensor: Sensor, days: Sequence[date], *, whole: bool
    ) -> Iterator[tuple[date, bytes, bytes | None]]:
        number = self._ids.get(sensor)
        if self._snapshot and number is not None:
            yield from self._snapshot.columns(number, days, whole=whole)

    def _shard_values(self, sensor: Sensor) -> Iterator[tuple[Times, Integers]]:
        for columns in self._shards:
            if column := columns.columns.get(sensor):
                yield self._present(columns.times_ms, column)

    def _present(self, times: Times, column: Column) -> tuple[Times, Integers]:
        """The rows in the window that have a value."""
        cut = self._window.cut(times)
        values = column.spread(len(times))[cut]
        if column.present is None:
            return times[cut], values
        present = column.present[cut]
        return times[cut][present], values[present]

    def _times_of(self, day: date) -> Times:
        if self._snapshot and day not in self._times:
            self._times[day] = self._snapshot.times(day)
        return self._times[day]


def _window(start: datetime, end: datetime, points: int | None) -> _Window:
    for name, moment in (("start", start), ("end", end)):
        if moment.tzinfo is None:
            raise QueryError(f"{name} {moment.isoformat()} has no time zone", hint="give it an offset from UTC")
    if end < start:
        raise QueryError(f"the end {end.isoformat()} lies before the start {start.isoformat()}", hint="change them")
    if points is not None and points < 1:
        raise QueryError(f"{points} points are none", hint="ask for 1 or more")
    return _Window(to_ms(start), to_ms(end))


def _record(sources: Sequence[Source]) -> str:
    return json.dumps([source.encode() for source in sources])
