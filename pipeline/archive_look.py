"""One look at a stretch of time: days as they stand in the archive, and days that are read from the shards.

Days are labels whose rows may lie in each other, so what they have is merged by time. Sensors of one name, unit and
scale are one column, whatever else was told of them when; others of the same name are columns of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from pipeline.archive_form import StoredDay
from pipeline.archive_snapshot import Snapshot
from pipeline.buckets import BUCKET_MS, Buckets, combine, length_for, reduce
from pipeline.clock import ALWAYS, from_ms, to_ms
from pipeline.columns import Column, Columns, Integers, Times, merged, overlaid
from pipeline.errors import ArchiveError, QueryError, UnknownSensorError
from pipeline.sensors import Sensor
from pipeline.series import ReducedSeries, Series

#: A day is a label: its rows lie within so many days of its UTC date.
_SPREAD = timedelta(days=2)
#: Rows of a day at an interval of 30 s.
_USUAL_ROWS = 2880


@dataclass(frozen=True)
class Stretch:
    """[start, end) in ms since 1970."""

    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Stretch:
        """The stretch between two times.

        Raises:
            QueryError: one has no zone, or the end lies before the start.
        """
        for name, moment in (("start", start), ("end", end)):
            if moment.tzinfo is None:
                raise QueryError(f"{name} {moment.isoformat()} has no time zone", hint="give it an offset from UTC")
        if end < start:
            said = f"the end {end.isoformat()} lies before the start {start.isoformat()}"
            raise QueryError(said, hint="change them")
        return cls(to_ms(start), to_ms(end))

    def near(self, day: date) -> bool:
        """Whether a day's label allows rows in it."""
        first, last = (from_ms(max(ALWAYS[0], min(at, ALWAYS[1]))).date() for at in (self.start_ms, self.end_ms))
        return first - _SPREAD <= day <= last + _SPREAD

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


def earliest_ms(day: date) -> int:
    """The earliest time that a row of a day can have."""
    return to_ms(datetime.combine(day - _SPREAD, time(), UTC))


class Reader(NamedTuple):
    """How a look reads what no archive has: the `columns` of a day's shards, the sensors that they have `room` for; and
    who is told of what turns out to be damaged.
    """

    columns: Callable[[date], Columns]
    room: Callable[[date], Iterable[Sensor]]
    distrust: Callable[[ArchiveError], None]


class Look:
    """`stored` are the days of a snapshot that count, `unstored` those that are read from the shards, each with the
    time (ms) before which none of its rows lies.
    """

    def __init__(
        self,
        stretch: Stretch,
        snapshot: Snapshot | None,
        stored: Mapping[date, StoredDay],
        unstored: Mapping[date, int],
        reader: Reader,
    ) -> None:
        self._stretch = stretch
        self._snapshot = snapshot
        self._stored = stored
        self._unstored = unstored
        self._read, self._room, self._distrust = reader
        self._times: dict[date, Times] = {}
        #: How many days the look has.
        self.days = len(stored) + len(unstored)

    def most_rows(self) -> int:
        """How many rows there are at most; a day that is not archived counts as a full one."""
        return sum(day.rows for day in self._stored.values()) + len(self._unstored) * _USUAL_ROWS

    def sensors(self) -> list[Sensor]:
        """Every sensor that a row may have, in the order of the columns, the newest one for each column."""
        found = set(self._snapshot.present(self._stored) if self._snapshot else ())
        found.update(each for day in self._unstored for each in self._room(day))
        ordered = [sensor for sensor in self._ordered(found) if sensor in found]
        return sorted(_newest(ordered).values(), key=lambda one: one.place)

    def rows(self, sensors: Sequence[Sensor]) -> Iterator[Columns]:
        """All rows, with the columns of some sensors, in pieces of about a day that rise in time."""
        firsts = {day: one.first_ms for day, one in self._stored.items()} | dict(self._unstored)
        days = sorted(firsts, key=lambda day: firsts[day])
        wanted = {sensor.meaning: sensor for sensor in sensors}
        waiting = merged([])
        untils_ms = [*(firsts[day] for day in days), self._stretch.end_ms][1:]
        for day, until_ms in zip(days, untils_ms, strict=True):
            waiting = merged([waiting, self._day(day, wanted)])
            cut = int(np.searchsorted(waiting.times_ms, until_ms))
            if cut:
                yield waiting.cut(slice(0, cut))
                waiting = waiting.cut(slice(cut, None))

    def series(self, names: Sequence[str], points: int | None) -> list[Series] | list[ReducedSeries]:
        """The values of sensors by name; see `Archive.query`."""
        shards = [self._piece(self._read(day), set(names)) for day in self._unstored]
        wanted = self._named(names, shards)
        if points is None:
            return [Series(sensor, *self._whole(members, shards)) for sensor, members in wanted]
        length_ms = length_for(self._stretch.end_ms - self._stretch.start_ms, points)
        return [
            ReducedSeries.of(sensor, length_ms, self._reduced(members, shards, length_ms)) for sensor, members in wanted
        ]

    def _named(self, names: Sequence[str], shards: Iterable[Columns]) -> list[tuple[Sensor, list[Sensor]]]:
        """For each column of some names, its newest sensor and all."""
        wanted = set(names)
        every = self._ordered({each for columns in shards for each in columns.columns})
        found = [sensor for sensor in every if sensor.name in wanted]
        known = {sensor.name for sensor in found}
        if unknown := [name for name in names if name not in known]:
            raise UnknownSensorError(unknown)
        newest = _newest(found)
        return [
            (one, [each for each in found if each.meaning == meaning])
            for name in names
            for meaning, one in newest.items()
            if one.name == name
        ]

    def _ordered(self, found: set[Sensor]) -> list[Sensor]:
        """Sensors of the archive and others, the newest last."""
        known = self._snapshot.sensors if self._snapshot else {}
        return [*known, *(found - known.keys())]

    def _whole(self, members: Sequence[Sensor], shards: Sequence[Columns]) -> tuple[Times, np.ndarray]:
        pieces = [*self._stored_values(members, self._stored), *_values(members, shards)]
        if not pieces:
            return np.zeros(0, np.int64), np.zeros(0)
        times, values = (np.concatenate(each) for each in zip(*pieces, strict=True))
        order = np.argsort(times, kind="stable")
        return times[order], values[order] / members[0].divisor

    def _reduced(self, members: Sequence[Sensor], shards: Sequence[Columns], length_ms: int) -> Buckets:
        pieces: list[Buckets] = []
        cut = set(self._stored)
        if length_ms % BUCKET_MS == 0:
            inner = {day for day, one in self._stored.items() if self._stretch.holds(one)}
            pieces += self._stored_buckets(members, inner)
            cut -= inner
        values = [*self._stored_values(members, cut), *_values(members, shards)]
        pieces += [reduce(times, raws, length_ms) for times, raws in values if len(times)]
        return combine(pieces, length_ms)

    def _stored_buckets(self, members: Sequence[Sensor], days: Iterable[date]) -> Iterator[Buckets]:
        for member in members if self._snapshot else ():
            for day, found in self._snapshot.buckets(member, days):  # type: ignore[union-attr]
                if isinstance(found, Column):
                    times = self._times_of(day)
                    yield reduce(*_present(times, found), BUCKET_MS)
                else:
                    yield found

    def _stored_values(self, members: Sequence[Sensor], days: Iterable[date]) -> Iterator[tuple[Times, Integers]]:
        for member in members if self._snapshot else ():
            for day, column in self._snapshot.columns(member, days):  # type: ignore[union-attr]
                times = self._times_of(day)
                cut = self._stretch.cut(times)
                yield _present(times[cut], column.cut(cut))

    def _times_of(self, day: date) -> Times:
        if self._snapshot and day not in self._times:
            self._times[day] = self._snapshot.rows(day)[0]
        return self._times[day]

    def _day(self, day: date, wanted: Mapping[tuple[str, str, int], Sensor]) -> Columns:
        columns = self._stored_day(day, wanted) if day in self._stored else self._read(day)
        return overlaid(self._piece(columns, {name for name, _, _ in wanted}), wanted)

    def _stored_day(self, day: date, wanted: Mapping[tuple[str, str, int], Sensor]) -> Columns:
        if self._snapshot is None:
            raise ValueError(f"no snapshot has {day}")
        try:
            members = [sensor for sensor in self._snapshot.sensors if sensor.meaning in wanted]
            times, offsets, sources = self._snapshot.rows(day)
            return Columns(times, offsets, sources, self._snapshot.day_columns(day, members))
        except ArchiveError as error:
            self._distrust(error)
            return self._read(day)

    def _piece(self, columns: Columns, names: set[str]) -> Columns:
        """The columns of some names, of the rows that lie in the stretch."""
        return columns.chosen(names).cut(self._stretch.cut(columns.times_ms))


def _newest(ordered: Sequence[Sensor]) -> dict[tuple[str, str, int], Sensor]:
    return {sensor.meaning: sensor for sensor in ordered}


def _values(members: Sequence[Sensor], pieces: Sequence[Columns]) -> Iterator[tuple[Times, Integers]]:
    for columns in pieces:
        for member in members:
            if column := columns.columns.get(member):
                yield _present(columns.times_ms, column)


def _present(times: Times, column: Column) -> tuple[Times, Integers]:
    """The rows that have a value."""
    values = column.spread(len(times))
    return (times, values) if column.present is None else (times[column.present], values[column.present])
