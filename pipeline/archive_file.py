"""The archive's SQLite file: one row for each sensor and local day, in a table for each month.

A day is added in one transaction, so nobody sees half of it; in WAL mode readers go on meanwhile. The row of a day
holds what it was made from, the times of its rows, and its schemas. A sensor is told apart by all of its meaning: one
whose scale changed is another sensor. The file is derived: what cannot be read is begun anew.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import column_codec
from pipeline.buckets import BUCKET_MS, reduce
from pipeline.columns import Column, Columns, Times
from pipeline.errors import ArchiveError, DamagedArchiveError
from pipeline.sensors import Sensor

#: Version of the tables and of what stands in them, in `PRAGMA user_version`.
FORMAT = 1
#: What SQLite says when the file is not a sound database of ours.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
#: Seconds to wait for another process's lock: only a day's transaction or a checkpoint of the log holds one.
_BUSY_S = 5.0

_TABLES = """
CREATE TABLE sensor (
  id INTEGER PRIMARY KEY, grp TEXT, idx INTEGER, name TEXT, data_type TEXT, unit TEXT, divisor INTEGER, codes TEXT,
  UNIQUE (grp, idx, name, data_type, unit, divisor, codes)
);
CREATE TABLE day (
  day INTEGER PRIMARY KEY, record TEXT, first_ms INTEGER, last_ms INTEGER, rows INTEGER, times BLOB, offsets BLOB,
  sources BLOB, schemas TEXT
);
CREATE INDEX day_ends ON day (first_ms, last_ms);
"""


@dataclass(frozen=True)
class StoredDay:
    """A day as it stands there: what it was made from, the first and last time of its rows (ms), and their number."""

    day: date
    record: str
    first_ms: int
    last_ms: int
    rows: int


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
            table = _month(day)
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} "
                "(sensor INTEGER, day INTEGER, data BLOB, buckets BLOB, PRIMARY KEY (sensor, day)) WITHOUT ROWID"
            )
            self._remove(connection, [day])
            ids = _ids(connection, columns.columns)
            rows = (
                (ids[each], day.toordinal(), *_encoded(columns, column)) for each, column in columns.columns.items()
            )
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)  # noqa: S608
            times = columns.times_ms
            ends = (int(times[0]), int(times[-1])) if len(times) else (None, None)
            lead = (column_codec.encode(column) for column in (columns.offsets_s, columns.sources))
            values = (day.toordinal(), record, *ends, len(times), _packed(times), *lead, json.dumps(list(schemas)))
            connection.execute("INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def drop(self, days: Iterable[date]) -> None:
        """Remove days; their pages are used again, and a month without days goes whole.

        Raises:
            ArchiveError: they stand as they did.
        """
        with self._writing() as connection:
            self._remove(connection, days)
            kept = {_month(date.fromordinal(day)) for (day,) in connection.execute("SELECT day FROM day")}
            for table in _months(connection) - kept:
                connection.execute(f"DROP TABLE {table}")

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The file as it stands now, however long it is looked at.

        Raises:
            ArchiveError: the file cannot be read.
        """
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        with self._translated(), closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as connection:
            connection.execute("BEGIN")
            self._check_format(connection)
            yield Snapshot(connection)

    def discard(self) -> None:
        """Remove the file, damaged or not, with all that belongs to it.

        Raises:
            OSError: something of it is still there.
        """
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _check_format(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise DamagedArchiveError(f"{self.path}: format {found}, this version reads {FORMAT}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
            raise (DamagedArchiveError if damaged else ArchiveError)(f"{self.path}: {error}") from error
        except OSError as error:
            raise ArchiveError(f"{self.path}: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the file is made where there is none."""
        with (
            self._translated(),
            closing(sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)) as connection,
        ):
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

    @staticmethod
    def _remove(connection: sqlite3.Connection, days: Iterable[date]) -> None:
        there = _months(connection)
        for day in days:
            if _month(day) in there:
                connection.execute(f"DELETE FROM {_month(day)} WHERE day = ?", (day.toordinal(),))  # noqa: S608
            connection.execute("DELETE FROM day WHERE day = ?", (day.toordinal(),))


class Snapshot:
    """What stands in the file at one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def sensors(self) -> dict[Sensor, int]:
        """Every sensor that any day has or had, with its id."""
        found = self._connection.execute("SELECT id, grp, idx, name, data_type, unit, divisor, codes FROM sensor")
        return {_sensor(row): row[0] for row in found}

    def days(self) -> dict[date, StoredDay]:
        """All days that stand there, in order."""
        found = self._connection.execute("SELECT day, record, first_ms, last_ms, rows FROM day ORDER BY day")
        return {(day := date.fromordinal(each[0])): StoredDay(day, *each[1:]) for each in found}

    def times(self, day: date) -> Times:
        """The times of a day's rows, ms since 1970."""
        (data,) = self._connection.execute("SELECT times FROM day WHERE day = ?", (day.toordinal(),)).fetchone()
        return np.cumsum(np.frombuffer(zlib.decompress(data), "<i8"), dtype=np.int64)

    def columns(self, sensor: int, days: Sequence[date], *, whole: bool) -> Iterator[tuple[date, bytes, bytes | None]]:
        """A sensor's encoded column and buckets of each of some days that has it, in order; `whole` without buckets."""
        for table, group in groupby(days, key=_month):
            wanted = sorted(day.toordinal() for day in group)
            marks = ",".join("?" * len(wanted))
            what = "data, NULL" if whole else "iif(buckets IS NULL, data, NULL), buckets"
            found = self._connection.execute(
                f"SELECT day, {what} FROM {table} WHERE sensor = ? AND day IN ({marks}) ORDER BY day",  # noqa: S608
                (sensor, *wanted),
            )
            yield from ((date.fromordinal(day), data, buckets) for day, data, buckets in found)


def _sensor(row: Sequence[Any]) -> Sensor:
    _, group, index, name, data_type, unit, divisor, codes = row
    return Sensor(group, index, name, data_type, unit, divisor, tuple((code, text) for code, text in json.loads(codes)))


def _month(day: date) -> str:
    return f"month_{day:%Y_%m}"


def _months(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'month\\_%' ESCAPE '\\'"
    )
    return {name for (name,) in found}


def _ids(connection: sqlite3.Connection, wanted: Mapping[Sensor, Column]) -> dict[Sensor, int]:
    """The id of each sensor, new where it has none yet."""
    keys = [(s.group, s.index, s.name, s.data_type, s.unit, s.divisor, json.dumps(s.codes)) for s in wanted]
    connection.executemany(
        "INSERT OR IGNORE INTO sensor (grp, idx, name, data_type, unit, divisor, codes) VALUES (?, ?, ?, ?, ?, ?, ?)",
        keys,
    )
    found = {tuple(row[1:]): row[0] for row in connection.execute("SELECT * FROM sensor")}
    return dict(zip(wanted, (found[key] for key in keys), strict=True))


def _encoded(columns: Columns, column: Column) -> tuple[bytes, bytes | None]:
    """A column and its buckets; those of a constant one follow from the times."""
    data = column_codec.encode(column)
    if column.is_constant:
        return data, None
    times, values = columns.times_ms, column.values
    if column.present is not None:
        times, values = times[column.present], values[column.present]
    return data, column_codec.encode_buckets(reduce(times, values, BUCKET_MS))


def _packed(times: Times) -> bytes:
    return zlib.compress(np.diff(times, prepend=np.int64(0)).astype("<i8").tobytes(), 6)
