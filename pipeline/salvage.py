"""What is still readable in a queue's file that is no sound database any more.

The files are moved aside first, as `<name>.salvage`, then read row by row, and named `<name>.damaged-<stamp>` when all
that can be read was taken over. A crash at any point in between is continued: the pieces meet again under one name.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline import files

#: The files that are one database: the database, its write-ahead log and the log's index.
SUFFIXES = ("", "-wal", "-shm")
_PENDING = ".salvage"
_SETTLED = ".damaged-"
#: How many ids before the last given one are asked for: more than a month of readings.
_MOST_IDS = 100_000
#: Bytes of a write-ahead log before its first frame.
_WAL_HEADER = 32


@dataclass(frozen=True)
class Salvage:
    """The rows that could be read, in order, and how many ids could not."""

    rows: tuple[bytes, ...]
    unreadable: int


def is_orphaned(database: Path) -> bool:
    """Whether a log with frames lies beside an empty or missing database: opening it would drop the frames unseen."""
    wal = database.with_name(database.name + "-wal")
    return wal.exists() and wal.stat().st_size > _WAL_HEADER and not (database.exists() and database.stat().st_size)


def move_aside(database: Path, stamp: str) -> Path:
    """Rename all files of a database, itself first; gives the new path of the database.

    Raises:
        OSError: a file could not be renamed.
    """
    aside = database.with_name(database.name + _PENDING)
    if database.exists() and aside.exists():
        settle(aside, stamp)
    _rename(database, aside, SUFFIXES)
    return aside


def pending(database: Path) -> Path | None:
    """The database that was moved aside and not read yet, if there is one."""
    aside = database.with_name(database.name + _PENDING)
    return aside if aside.exists() else None


def settle(aside: Path, stamp: str) -> Path:
    """Name a database that was read so that it is not read again, itself last; gives its new path."""
    target = aside.with_name(f"{aside.name.removesuffix(_PENDING)}{_SETTLED}{stamp}")
    _rename(aside, target, tuple(reversed(SUFFIXES)))
    return target


def _rename(source: Path, target: Path, suffixes: tuple[str, ...]) -> None:
    for suffix in suffixes:
        file = source.with_name(source.name + suffix)
        if file.exists():
            file.rename(target.with_name(target.name + suffix))
    files.sync_folder(source.parent)


def read(aside: Path, table: str) -> Salvage:
    """Every row of a damaged database that can still be read, each asked for by its own id."""
    if not aside.stat().st_size:
        return Salvage((), 0)
    # Read-only: the damaged files stay as evidence. A writable schema lets SQLite read a file that is too short.
    with closing(sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.execute("PRAGMA writable_schema=ON")
        found = [_row(connection, table, row_id) for row_id in _ids(connection, table)]
    rows = tuple(row for row in found if row is not None)
    return Salvage(rows, len(found) - len(rows))


def _ids(connection: sqlite3.Connection, table: str) -> list[int]:
    """The ids that may have a row, in order: those that a walk meets, and all from the first of them to the last given.

    A walk over a damaged page may raise or end early without a word; rows are only ever deleted from the front, so
    every id behind the first one had its row.
    """
    walked: list[int] = []
    with suppress(sqlite3.DatabaseError):
        for (row_id,) in connection.execute(f"SELECT _id FROM {table} ORDER BY _id"):  # noqa: S608
            walked.append(row_id)
    last = _last_given(connection, table)
    first = min(walked, default=1)
    return sorted({*walked, *range(max(first, last - _MOST_IDS), last + 1)})


def _last_given(connection: sqlite3.Connection, table: str) -> int:
    for question in (
        f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'",  # noqa: S608
        f"SELECT MAX(_id) FROM {table}",  # noqa: S608
    ):
        try:
            row = connection.execute(question).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row and row[0]:
            return int(row[0])
    return 0


def _row(connection: sqlite3.Connection, table: str, row_id: int) -> bytes | None:
    try:
        row = connection.execute(f"SELECT data FROM {table} WHERE _id = ?", (row_id,)).fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        return None
    return row[0] if row and isinstance(row[0], bytes) else None
