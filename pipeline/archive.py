"""A year at hand: every reading of every local day that has shards, at full resolution, asked for by sensor and time.

A day counts as it stands in the archive's file where it was made from what its shards hold now; every other day, the
open one above all, is read from the shards. Days are labels whose rows may lie in each other, so the rows of all days
that touch a window are merged by time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from pipeline.archive_file import ArchiveFile
from pipeline.archive_form import StoredDay
from pipeline.archive_look import Look, Reader, Stretch, earliest_ms
from pipeline.archive_snapshot import Snapshot
from pipeline.columns import Columns
from pipeline.errors import ArchiveError, DamagedArchiveError, DamagedDayError, MissingArchiveError, QueryError
from pipeline.log import event
from pipeline.sensors import Sensor
from pipeline.series import ReducedSeries, Series
from pipeline.shelf import Shelf
from pipeline.span import Source

log = logging.getLogger("archive")

Answer = TypeVar("Answer")


@dataclass
class Damage:
    """What queries found to be damaged: days, which are due again, or the whole file. Those that read one file may
    share it with the one that builds it, from any thread.
    """

    days: set[date] = field(default_factory=set)
    file: DamagedArchiveError | None = None


class Archive:
    """The archive of a folder of shards, for one thread at a time.

    `shelf` tells which parts there are, `read` gives the columns of a local day from its shards, `room` the sensors
    that they have room for.
    """

    def __init__(
        self,
        path: Path,
        shelf: Shelf,
        read: Callable[[date], tuple[Columns, Sequence[str]]],
        room: Callable[[date], Iterable[Sensor]],
        damage: Damage | None = None,
    ) -> None:
        self._file = ArchiveFile(path)
        self._shelf = shelf
        self._read = read
        self._room = room
        self._damage = damage or Damage()

    def due(self) -> list[date]:
        """Days whose shards hold something else than the archive was made from, newest first.

        Raises:
            ArchiveError: its file cannot be read, or a query found it damaged.
        """
        if self._damage.file:
            raise self._damage.file
        self._shelf.look()
        known = self._stored()
        days = {*self._shelf.days(), *known}
        return sorted((day for day in days if not self._fits(day, known.get(day))), reverse=True)

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
        self._damage.days.discard(day)
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
        self._damage.days.clear()
        self._damage.file = None

    def query(
        self, names: Sequence[str], start: datetime, end: datetime, points: int | None = None
    ) -> list[Series] | list[ReducedSeries]:
        """The readings of [start, end) of some sensors by name, in that order.

        Without `points` every value; with it, as many aligned buckets at most. A name whose unit or scale changed gives
        a series for each of its meanings.

        Raises:
            QueryError: a name that no day has, an end before the start, a time without a zone, or one point.
            ArchiveError, OSError: what is asked for cannot be read now.
        """
        if points is not None and points < 2:
            # Any stretch, however short, can lie across a border.
            raise QueryError(f"{points} points are too few", hint="ask for 2 or more")
        return self._asked(start, end, lambda look: look.series(names, points))

    def sensors(self, start: datetime, end: datetime) -> list[Sensor]:
        """Every sensor that a reading of [start, end) has, in the order of the columns; one for each column.

        Raises:
            QueryError, ArchiveError, OSError: as `query`.
        """
        return self._asked(start, end, Look.sensors)

    def changing(self) -> set[tuple[int, int]]:
        """The places of all sensors that changed in a day that stands there, or from one to another.

        Raises:
            ArchiveError: the file cannot be read.
        """
        try:
            with self._file.snapshot() as snapshot:
                return {sensor.place for sensor in snapshot.changing()}
        except MissingArchiveError:
            return set()

    def _asked(self, start: datetime, end: datetime, ask: Callable[[Look], Answer]) -> Answer:
        while True:
            try:
                with self.look(start, end) as look:
                    return ask(look)
            except (DamagedArchiveError, DamagedDayError) as error:
                # The next look leaves out what this one found damaged.
                self._distrust(error)

    @contextmanager
    def look(self, start: datetime, end: datetime) -> Iterator[Look]:
        """One look at the readings of [start, end), for as long as the block lasts.

        Raises:
            QueryError: an end before the start, or a time without a zone.
        """
        stretch = Stretch.of(start, end)
        self._shelf.look()
        with ExitStack() as stack:
            snapshot, stored = self._sound(stack)
            near = {day for day in (*self._shelf.days(), *stored) if stretch.near(day)}
            fitting = {day for day in near & stored.keys() if self._fits(day, stored[day])}
            meeting = {day: one for day, one in stored.items() if day not in near - fitting and stretch.meets(one)}
            unstored = self._unstored(near - fitting, stretch)
            read = Reader(lambda day: self._read(day)[0], self._room, self._distrust)
            yield Look(stretch, snapshot, meeting, unstored, read)

    def _sound(self, stack: ExitStack) -> tuple[Snapshot | None, Mapping[date, StoredDay]]:
        """A snapshot, and the days in it that are not known to be damaged; none where the file cannot be read."""
        if self._damage.file:
            return None, {}
        try:
            snapshot = stack.enter_context(self._file.snapshot())
            return snapshot, {day: one for day, one in snapshot.days().items() if day not in self._damage.days}
        except MissingArchiveError:
            return None, {}
        except ArchiveError as error:
            self._distrust(error)
            return None, {}

    def _distrust(self, error: ArchiveError) -> None:
        """Take what is damaged from the shards from now on."""
        if not self._damage.file:
            event(log, logging.WARNING, "archive not read, the shards are read instead", error=error)
        if isinstance(error, DamagedDayError):
            self._damage.days.add(error.day)
        elif isinstance(error, DamagedArchiveError):
            self._damage.file = error

    def _unstored(self, days: Iterable[date], stretch: Stretch) -> dict[date, int]:
        """Those of some days whose shards may have rows in a stretch, each with the time before which none lies."""
        found = {}
        for day in sorted(days):
            extent = self._shelf.extent_of(day)
            if extent is None:
                found[day] = earliest_ms(day)
            elif extent[0] < stretch.end_ms and stretch.start_ms <= extent[1]:
                found[day] = extent[0]
        return found

    def _stored(self) -> Mapping[date, StoredDay]:
        try:
            with self._file.snapshot() as snapshot:
                return snapshot.days()
        except MissingArchiveError:
            return {}

    def _fits(self, day: date, stored: StoredDay | None) -> bool:
        """Whether a day stands there as its shards hold it; one whose shards are gone is kept as it is."""
        if stored is None or day in self._damage.days:
            return False
        recorded = [Source.decode(each) for each in json.loads(stored.record)]
        return bool(self._shelf.lost(recorded)) or self._sources(day, recorded) == recorded

    def _sources(self, day: date, recorded: Sequence[Source] | None) -> list[Source]:
        return self._shelf.of_day(day, recorded or ())


def _record(sources: Sequence[Source]) -> str:
    return json.dumps([source.encode() for source in sources])
