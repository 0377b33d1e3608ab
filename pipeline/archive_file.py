"""The archive's SQLite file: one row for each sensor and local day, in a table for each month.

A day is added in one transaction, so nobody sees half of it; in WAL mode readers go on meanwhile. The row of a day
holds what it was made from, the times of its rows, and its schemas. A sensor is told apart by all of its meaning: one
whose scale changed is another sensor. The file is derived: what cannot be read is begun anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from itertools import count
from pathlib import Path

from pipeline import column_codec
from pipeline.archive_form import (
    BUCKETS,
    DATA,
    OFFSETS,
    SOURCES,
    TIMES,
    bits_of,
    month_of,
    packed_times,
    row_crc,
    sealed,
    sensor_key,
)
from pipeline.archive_snapshot import MONTHS, Snapshot, translated
from pipeline.buckets import BUCKET_MS, reduce
from pipeline.columns import Column, Columns
from pipeline.errors import DamagedArchiveError, MissingArchiveError
from pipeline.sensors import Sensor

#: Version of the tables and of what stands in them, in `PRAGMA user_version`. Builds with 1 wrote two forms that no
#: checksum tells apart, so none of them is believed.
FORMAT = 3
#: Bytes of a page: a day of a busy sensor fits in a quarter of one, else SQLite gives it pages of its own.
_PAGE = 16_384
#: Seconds to wait for another process's lock: only a day's transaction or a checkpoint of the log holds one.
_BUSY_S = 5.0

_TABLES = """
CREATE TABLE sensor (
  crc INTEGER, id INTEGER PRIMARY KEY, grp TEXT, idx INTEGER, name TEXT, data_type TEXT, unit TEXT, divisor INTEGER,
  codes TEXT, UNIQUE (grp, idx, name, data_type, unit, divisor, codes)
);
CREATE TABLE day (
  day INTEGER PRIMARY KEY, crc INTEGER, record TEXT, first_ms INTEGER, last_ms INTEGER, rows INTEGER, sensors BLOB,
  schemas TEXT, times BLOB, offsets BLOB, sources BLOB
);
"""


class ArchiveFile:
    """The file at a path; `add` and `drop` belong to one thread of one process, everything else to anybody."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, day: date, record: str, columns: Columns, schemas: Sequence[str]) -> None:
        """Put a day in place of what stood there for it; `record` says what it was made from.

        Raises:
            ArchiveError: it stands as it did.
        """
        with self._writing() as connection:
            table = month_of(day)
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} "
                "(sensor INTEGER, day INTEGER, data BLOB, buckets BLOB, PRIMARY KEY (sensor, day)) WITHOUT ROWID"
            )
            self._remove(connection, [day])
            ids = self._ids(connection, columns.columns)
            rows = (_row(ids[sensor], day, record, columns, column) for sensor, column in columns.columns.items())
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)  # noqa: S608
            values = _day_row(day, record, columns, ids.values(), schemas)
            connection.execute("INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def drop(self, days: Iterable[date]) -> None:
        """Remove days; their pages are used again, and a month without days goes whole.

        Raises:
            ArchiveError: they stand as they did.
        """
        with self._writing() as connection:
            self._remove(connection, days)
            kept = {month_of(date.fromordinal(day)) for (day,) in connection.execute("SELECT day FROM day")}
            for table in _months(connection) - kept:
                connection.execute(f"DROP TABLE {table}")

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The file as it stands now, however long it is looked at.

        Raises:
            MissingArchiveError: it is not there, or its first day is still being added.
            ArchiveError: it cannot be read.
        """
        if not self.path.exists():
            raise MissingArchiveError(f"{self.path} is not there")
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        with translated(self.path):
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S)
        with closing(connection):
            # What goes wrong with what the block does is none of the archive's.
            with translated(self.path):
                connection.execute("BEGIN")
                self._check_format(connection)
            yield Snapshot(connection, self.path)

    def discard(self) -> None:
        """Remove the file, damaged or not, with all that belongs to it.

        Raises:
            OSError: something of it is still there.
        """
        for suffix in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _check_format(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if not found:
            raise MissingArchiveError(f"{self.path} has no day yet")
        if found != FORMAT:
            raise DamagedArchiveError(f"{self.path}: format {found}, this version reads {FORMAT}")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the file is made where there is none."""
        with (
            translated(self.path),
            closing(sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)) as connection,
        ):
            # Before there is anything in the file; later it says nothing.
            connection.execute(f"PRAGMA page_size = {_PAGE}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                for statement in filter(str.strip, _TABLES.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            self._check_format(connection)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _ids(self, connection: sqlite3.Connection, wanted: Iterable[Sensor]) -> dict[Sensor, int]:
        """The id of each sensor, new where it has none yet."""
        known = Snapshot(connection, self.path).sensors
        numbered = dict(known)
        numbers = count(max(known.values(), default=0) + 1)
        numbered.update((sensor, next(numbers)) for sensor in wanted if sensor not in known)
        rows = [(number, *sensor_key(sensor)) for sensor, number in numbered.items() if sensor not in known]
        connection.executemany(
            "INSERT INTO sensor VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(row_crc(row), *row) for row in rows]
        )
        return {sensor: numbered[sensor] for sensor in wanted}

    @staticmethod
    def _remove(connection: sqlite3.Connection, days: Iterable[date]) -> None:
        there = _months(connection)
        for day in days:
            if month_of(day) in there:
                connection.execute(f"DELETE FROM {month_of(day)} WHERE day = ?", (day.toordinal(),))  # noqa: S608
            connection.execute("DELETE FROM day WHERE day = ?", (day.toordinal(),))


def days(path: Path) -> int:
    """How many days stand in the file at a path.

    Raises:
        ArchiveError: the file cannot be read.
    """
    try:
        with ArchiveFile(path).snapshot() as snapshot:
            return len(snapshot.days())
    except MissingArchiveError:
        return 0


def _months(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute(MONTHS)}


def _day_row(
    day: date, record: str, columns: Columns, ids: Iterable[int], schemas: Sequence[str]
) -> tuple[int | str | bytes | None, ...]:
    times = columns.times_ms
    ends = (int(times[0]), int(times[-1])) if len(times) else (None, None)
    bits = bits_of(ids)
    sensors = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    number, *rest = row = (day.toordinal(), record, *ends, len(times), sensors, json.dumps(list(schemas)))
    lead = (packed_times(times), column_codec.encode(columns.offsets_s), column_codec.encode(columns.sources))
    blobs = (sealed(blob, kind, day, record) for kind, blob in zip((TIMES, OFFSETS, SOURCES), lead, strict=True))
    return number, row_crc(row), *rest, *blobs


def _row(sensor: int, day: date, record: str, columns: Columns, column: Column) -> tuple[int, int, bytes, bytes | None]:
    data, buckets = _encoded(columns, column)
    squeezed = sealed(buckets, BUCKETS, day, record, sensor) if buckets else None
    return sensor, day.toordinal(), sealed(data, DATA, day, record, sensor), squeezed


def _encoded(columns: Columns, column: Column) -> tuple[bytes, bytes | None]:
    """A column and its buckets; those of a constant one follow from the times."""
    data = column_codec.encode(column)
    if column.is_constant:
        return data, None
    times, values = columns.times_ms, column.values
    if column.present is not None:
        times, values = times[column.present], values[column.present]
    return data, column_codec.encode_buckets(reduce(times, values, BUCKET_MS))
