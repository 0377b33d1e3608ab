"""One look at the archive's SQLite file: what stands there, and whether it is what was put there."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property, lru_cache, reduce
from itertools import groupby
from operator import or_
from pathlib import Path
from typing import Any

from pipeline import column_codec
from pipeline.archive_form import (
    BUCKETS,
    DATA,
    OFFSETS,
    SEAL,
    SOURCES,
    TIMES,
    StoredDay,
    bits_of,
    month_of,
    row_crc,
    sealed,
    sensor_of,
    unpacked_times,
)
from pipeline.buckets import Buckets
from pipeline.columns import Column, Times
from pipeline.errors import ArchiveError, DamagedArchiveError, DamagedDayError
from pipeline.sensors import Sensor

#: What SQLite says when the file cannot be used now; anything else says that it is no sound database of ours.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
#: The tables of months.
MONTHS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'month\\_%' ESCAPE '\\'"
#: The table of sensors, in the order in which they came.
SENSORS = "SELECT crc, id, grp, idx, name, data_type, unit, divisor, codes FROM sensor ORDER BY id"
_DAYS = "SELECT crc, day, record, first_ms, last_ms, rows, sensors, schemas FROM day ORDER BY day"
#: Question marks in one statement: every SQLite takes so many.
_MOST_MARKS = 500


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What goes wrong with the file, in our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # A text that is no UTF-8 has no code.
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING or isinstance(
            error, sqlite3.ProgrammingError
        )
        raise (ArchiveError if passing else DamagedArchiveError)(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged schema quotes it.
        raise DamagedArchiveError(f"{path}: {error}") from error
    except OSError as error:
        raise ArchiveError(f"{path}: {error}") from error


class Snapshot:
    """What stands in the file at one moment; each look raises `ArchiveError` where it cannot be read."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._months = {name for (name,) in self._found(MONTHS)}

    @cached_property
    def sensors(self) -> Mapping[Sensor, int]:
        """Every sensor that any day has or had, with its id."""
        found = tuple(self._found(SENSORS))
        try:
            numbered = _numbered(found)
        except ValueError as error:
            raise DamagedArchiveError(f"{self._path}: {error}") from error
        if _every(self._stored.values()) & ~bits_of(numbered.values()):
            raise DamagedArchiveError(f"{self._path}: a sensor that a day has is missing")
        return numbered

    def days(self) -> Mapping[date, StoredDay]:
        """All days that stand there, in order; one that does not have its checksum counts as none."""
        return self._stored

    def present(self, days: Iterable[date]) -> list[Sensor]:
        """The sensors that any of some days has."""
        there = _every(self._stored[day] for day in days)
        return [sensor for sensor, number in self.sensors.items() if there >> number & 1]

    def rows(self, day: date) -> tuple[Times, Column, Column]:
        """The times (ms) of a day's rows, their offsets from UTC (s), and where each is from."""
        found = self._found("SELECT times, offsets, sources FROM day WHERE day = ?", day.toordinal())
        kinds, stored = (TIMES, OFFSETS, SOURCES), self._stored[day]
        times, offsets, sources = (self._opened(*each, stored) for each in zip(found[0], kinds, strict=True))
        with self._readable(day):
            return (
                unpacked_times(times, stored.rows),
                column_codec.decode(offsets, stored.rows),
                column_codec.decode(sources, stored.rows),
            )

    def columns(self, sensor: Sensor, days: Iterable[date]) -> Iterator[tuple[date, Column]]:
        """A sensor's columns of those of some days that have it, in order."""
        for stored, number, data, _ in self._rows_of(sensor, days, "data, NULL"):
            yield stored.day, self._column(data, stored, number)

    def buckets(self, sensor: Sensor, days: Iterable[date]) -> Iterator[tuple[date, Column | Buckets]]:
        """The same, its buckets; of a day on which it does not change, the column, whose buckets follow from it."""
        for stored, number, data, buckets in self._rows_of(sensor, days, "iif(buckets IS NULL, data, NULL), buckets"):
            found = self._column(data, stored, number) if data else self._buckets(buckets, stored, number)
            yield stored.day, found

    def day_columns(self, day: date, sensors: Sequence[Sensor]) -> dict[Sensor, Column]:
        """The columns of a day, of those of some sensors that it has."""
        stored, table = self._stored[day], month_of(day)
        known = {self.sensors[sensor]: sensor for sensor in sensors if sensor in self.sensors}
        wanted = [number for number in known if stored.has(number)]
        found: dict[object, object] = {}
        for some in _batches(wanted, _MOST_MARKS):
            where = f"sensor IN ({_marks(some)}) AND day = ?"
            found.update(self._found_in(table, f"sensor, data FROM {table} WHERE {where}", *some, day.toordinal()))
        return {known[number]: self._column(found.get(number), stored, number) for number in wanted}

    def changing(self) -> list[Sensor]:
        """The sensors that changed in a day, or from one to another, as their columns tell without being opened."""
        ends: dict[int, set[object]] = {}
        for table in self._months:
            # A column that stands still has no buckets, and the same bytes behind its checksum on each day.
            body = f"substr(data, {SEAL.size + 1})"
            what = f"sensor, max(buckets IS NOT NULL), min({body}), max({body}) FROM {table} GROUP BY sensor"
            for number, moves, least, greatest in self._found_in(table, what):
                ends.setdefault(number, set()).update((number, 1) if moves else (least, greatest))
        return [sensor for sensor, number in self.sensors.items() if len(ends.get(number, ())) > 1]

    @cached_property
    def _stored(self) -> Mapping[date, StoredDay]:
        found = [row for crc, *row in self._found(_DAYS) if crc == row_crc(row)]
        return {(day := date.fromordinal(row[0])): _stored_day(day, *row[1:]) for row in found}

    def _rows_of(
        self, sensor: Sensor, days: Iterable[date], what: str
    ) -> Iterator[tuple[StoredDay, int, object, object]]:
        """Two fields of a sensor's row of each day that has it; None where there is no such row."""
        number = self.sensors.get(sensor)
        if number is None:
            return
        for table, group in groupby(sorted(day for day in days if self._stored[day].has(number)), key=month_of):
            wanted = {day.toordinal(): self._stored[day] for day in group}
            where = f"sensor = ? AND day IN ({_marks(wanted)})"
            rows = self._found_in(table, f"day, {what} FROM {table} WHERE {where}", number, *wanted)
            found = {day: fields for day, *fields in rows}
            for day, stored in wanted.items():
                first, second = found.get(day, (None, None))
                yield stored, number, first, second

    def _column(self, data: object, stored: StoredDay, sensor: int) -> Column:
        body = self._opened(data, DATA, stored, sensor)
        with self._readable(stored.day):
            return column_codec.decode(body, stored.rows)

    def _buckets(self, data: object, stored: StoredDay, sensor: int) -> Buckets:
        body = self._opened(data, BUCKETS, stored, sensor)
        with self._readable(stored.day):
            return column_codec.decode_buckets(body)

    def _opened(self, blob: object, kind: int, stored: StoredDay, sensor: int = 0) -> bytes:
        body = blob[SEAL.size :] if isinstance(blob, bytes) else b""
        if blob != sealed(body, kind, stored.day, stored.record, sensor):
            raise DamagedDayError(f"{self._path}: a column of {stored.day} does not have its checksum", stored.day)
        return body

    @contextmanager
    def _readable(self, day: date) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise DamagedDayError(f"{self._path}: {day}: {error}", day) from error

    def _found_in(self, table: str, what: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._found(f"SELECT {what}", *parameters) if table in self._months else []

    def _found(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with translated(self._path):
            return self._connection.execute(statement, parameters).fetchall()


def _stored_day(day: date, record: str, first_ms: int, last_ms: int, rows: int, sensors: bytes, _: str) -> StoredDay:
    return StoredDay(day, record, first_ms, last_ms, rows, int.from_bytes(sensors, "little"))


def _every(days: Iterable[StoredDay]) -> int:
    """The bits of all sensors that any of some days has."""
    return reduce(or_, (day.sensors for day in days), 0)


@lru_cache(maxsize=1)
def _numbered(rows: tuple[tuple[Any, ...], ...]) -> Mapping[Sensor, int]:
    """The sensors of all rows of their table, with their ids; the rows are the same for months.

    Raises:
        ValueError: a row does not have its checksum.
    """
    if any(crc != row_crc(row) for crc, *row in rows):
        raise ValueError("a sensor does not have its checksum")
    return {sensor_of(key): number for _, number, *key in rows}


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))


def _batches(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[i : i + size] for i in range(0, len(values), size))
