"""One look at the archive's SQLite file, and what its reader and its writer must agree on.

Every blob there begins with a checksum of what it is, where it belongs and for which day: a value that rotted on the
disk, or that SQLite finds under a wrong key, is told from a sound one.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import column_codec
from pipeline.buckets import Buckets
from pipeline.columns import Column, Times
from pipeline.errors import ArchiveError, DamagedArchiveError, DamagedDayError
from pipeline.sensors import Sensor

#: What SQLite says when the file is not a sound database of ours.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
#: The tables of months.
MONTHS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'month\\_%' ESCAPE '\\'"
#: The table of sensors, in the order in which they came.
SENSORS = "SELECT id, crc, grp, idx, name, data_type, unit, divisor, codes FROM sensor ORDER BY id"
#: In front of every blob: the CRC-32 of where it belongs and of what follows, little-endian.
_SEAL = struct.Struct("<I")
_PLACE = struct.Struct("<IBI")
#: What a blob is: a sensor's column of a day, its buckets; the times of the day's rows, their offsets, their sources.
DATA, BUCKETS, TIMES, OFFSETS, SOURCES = range(5)
#: Question marks in one statement: every SQLite takes so many.
_MOST_MARKS = 500


@dataclass(frozen=True)
class StoredDay:
    """A day as it stands there: what it was made from, the first and last time of its rows (ms), and their number."""

    day: date
    record: str
    first_ms: int
    last_ms: int
    rows: int


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What goes wrong with the file, in our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
        raise (DamagedArchiveError if damaged else ArchiveError)(f"{path}: {error}") from error
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
        try:
            return _numbered(tuple(self._found(SENSORS)))
        except ValueError as error:
            raise DamagedArchiveError(f"{self._path}: {error}") from error

    def days(self) -> dict[date, StoredDay]:
        """All days that stand there, in order."""
        found = self._found("SELECT day, record, first_ms, last_ms, rows FROM day ORDER BY day")
        return {(day := date.fromordinal(each[0])): StoredDay(day, *each[1:]) for each in found}

    def present(self, days: Iterable[date]) -> list[Sensor]:
        """The sensors that any of some days has."""
        ids: set[int] = set()
        for table, wanted in self._by_month(days):
            there = f"SELECT 1 FROM {table} WHERE sensor = id AND day IN ({_marks(wanted)})"  # noqa: S608
            found = self._found(f"SELECT id FROM sensor WHERE EXISTS ({there})", *wanted)  # noqa: S608
            ids.update(number for (number,) in found)
        return [sensor for sensor, number in self.sensors.items() if number in ids]

    def rows(self, day: date) -> tuple[Times, Column, Column]:
        """The times (ms) of a day's rows, their offsets from UTC (s), and where each is from."""
        found = self._found("SELECT rows, times, offsets, sources FROM day WHERE day = ?", day.toordinal())
        count, *blobs = found[0]
        kinds = (TIMES, OFFSETS, SOURCES)
        times, offsets, sources = (self._opened(blob, kind, day) for kind, blob in zip(kinds, blobs, strict=True))
        with self._readable(day):
            return (
                unpacked_times(times, count),
                column_codec.decode(offsets, count),
                column_codec.decode(sources, count),
            )

    def columns(self, sensor: Sensor, days: Iterable[date]) -> Iterator[tuple[date, Column]]:
        """A sensor's columns of those of some days that have it, in order."""
        number = self.sensors.get(sensor)
        for day, rows, data, _ in self._rows_of(number, days, "data, NULL"):
            yield day, self._column(data, day, number, rows)

    def buckets(self, sensor: Sensor, days: Iterable[date]) -> Iterator[tuple[date, Column | Buckets]]:
        """The same, its buckets; of a day on which it does not change, the column, whose buckets follow from it."""
        number = self.sensors.get(sensor)
        for day, rows, data, buckets in self._rows_of(number, days, "iif(buckets IS NULL, data, NULL), buckets"):
            yield day, self._column(data, day, number, rows) if data else self._buckets(buckets, day, number)

    def day_columns(self, day: date, sensors: Sequence[Sensor], rows: int) -> dict[Sensor, Column]:
        """The columns of a day of so many rows, of those of some sensors that it has."""
        known = {self.sensors[sensor]: sensor for sensor in sensors if sensor in self.sensors}
        found = {}
        for table, wanted in self._by_month([day]):
            for some in _batches(list(known), _MOST_MARKS):
                statement = f"SELECT sensor, data FROM {table} WHERE sensor IN ({_marks(some)}) AND day = ?"  # noqa: S608
                each = self._found(statement, *some, *wanted)
                found.update({known[number]: self._column(data, day, number, rows) for number, data in each})
        return found

    def _rows_of(
        self, number: int | None, days: Iterable[date], what: str
    ) -> Iterator[tuple[date, int, bytes, bytes | None]]:
        for table, wanted in self._by_month(days) if number is not None else ():
            found = self._found(
                f"SELECT day, rows, {what} FROM {table} JOIN day USING (day) "  # noqa: S608
                f"WHERE sensor = ? AND day IN ({_marks(wanted)}) ORDER BY day",
                number,
                *wanted,
            )
            yield from ((date.fromordinal(each[0]), *each[1:]) for each in found)

    def _column(self, data: bytes, day: date, sensor: int | None, rows: int) -> Column:
        body = self._opened(data, DATA, day, sensor)
        with self._readable(day):
            return column_codec.decode(body, rows)

    def _buckets(self, data: bytes | None, day: date, sensor: int | None) -> Buckets:
        body = self._opened(data or b"", BUCKETS, day, sensor)
        with self._readable(day):
            return column_codec.decode_buckets(body)

    def _opened(self, blob: bytes, kind: int, day: date, sensor: int | None = None) -> bytes:
        body = blob[_SEAL.size :]
        if blob != sealed(body, kind, day, sensor or 0):
            raise DamagedDayError(f"{self._path}: a column of {day} does not have its checksum", day)
        return body

    @contextmanager
    def _readable(self, day: date) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise DamagedDayError(f"{self._path}: {day}: {error}", day) from error

    def _by_month(self, days: Iterable[date]) -> Iterator[tuple[str, list[int]]]:
        for table, group in groupby(sorted(days), key=month_of):
            if table in self._months:
                yield table, [day.toordinal() for day in group]

    def _found(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with translated(self._path):
            return self._connection.execute(statement, parameters).fetchall()


@lru_cache(maxsize=1)
def _numbered(rows: tuple[tuple[Any, ...], ...]) -> Mapping[Sensor, int]:
    """The sensors of all rows of their table, with their ids; the rows are the same for months.

    Raises:
        ValueError: a row does not have its checksum.
    """
    if any(crc != sensor_crc(number, key) for number, crc, *key in rows):
        raise ValueError("a sensor does not have its checksum")
    return {_sensor(key): number for number, _, *key in rows}


def _sensor(row: Sequence[Any]) -> Sensor:
    group, index, name, data_type, unit, divisor, codes = row
    return Sensor(group, index, name, data_type, unit, divisor, tuple((code, text) for code, text in json.loads(codes)))


def month_of(day: date) -> str:
    """The table that a day stands in."""
    return f"month_{day:%Y_%m}"


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _batches(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[i : i + size] for i in range(0, len(values), size))


def sensor_key(sensor: Sensor) -> tuple[str | int, ...]:
    """A sensor as the file has it."""
    return (*(getattr(sensor, each.name) for each in fields(Sensor)[:-1]), json.dumps(sensor.codes))


def sensor_crc(number: int, key: Sequence[object]) -> int:
    """The checksum of a sensor's row."""
    return zlib.crc32(repr((number, *key)).encode())


def sealed(body: bytes, kind: int, day: date, sensor: int = 0) -> bytes:
    """A blob as it stands there: behind the checksum of what it is, of which day and of which sensor."""
    place = _PLACE.pack(sensor, kind, day.toordinal())
    return _SEAL.pack(zlib.crc32(body, zlib.crc32(place))) + body


def packed_times(times: Times) -> bytes:
    """The bytes of rising times."""
    return zlib.compress(np.diff(times, prepend=np.int64(0)).astype("<i8").tobytes(), 6)


def unpacked_times(data: bytes, rows: int) -> Times:
    """The times that `packed_times` made these bytes of.

    Raises:
        ValueError: the bytes are no times of so many rows.
    """
    try:
        steps = np.frombuffer(zlib.decompress(data), "<i8")
    except zlib.error as error:
        raise ValueError(f"no times: {error}") from error
    if len(steps) != rows:
        raise ValueError(f"{len(steps)} times where {rows} belong")
    return np.cumsum(steps, dtype=np.int64)
