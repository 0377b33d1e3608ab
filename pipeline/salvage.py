"""What is still readable in a queue's files that are no sound database any more.

The files are moved aside first, as `<name>.salvage-<stamp>`, then read: row by row where SQLite still finds them, then
byte by byte for whole readings that it does not give. When all was taken over they are `<name>.damaged-<stamp>`, by the
same stamp. Any of the files alone is read too, and none takes the place of another. A crash at any point in between is
continued: the pieces meet again under one name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from pipeline import files
from pipeline.reading import carve, time_of

#: The files that are one database: the database, its write-ahead log and the log's index.
SUFFIXES = ("", "-wal", "-shm")
_PENDING = ".salvage"
_SETTLED = ".damaged"
#: How many ids before the last given one are asked for: more than a month of readings.
_MOST_IDS = 100_000
#: Bytes of a write-ahead log before its first frame.
_WAL_HEADER = 32
#: Bytes of a raw file that are looked through at a time.
_CHUNK = 1_048_576
#: Bytes of the largest page of SQLite: a reading that lies in one piece is no longer, so chunks overlap by it.
_OVERLAP = 65_536
#: Bytes given up where the disk cannot read them.
_BLOCK = 4096


def is_orphaned(database: Path) -> bool:
    """Whether a log with frames lies beside an empty or missing database: opening it would drop the frames unseen."""
    wal = _piece(database, "-wal")
    return wal.exists() and wal.stat().st_size > _WAL_HEADER and not (database.exists() and database.stat().st_size)


def move_aside(database: Path, stamp: str) -> Path:
    """Rename all files of a database, itself first; gives the new path of the database.

    Files that an interrupted move left behind follow their database, all others get a name of their own.

    Raises:
        OSError: a file could not be renamed.
    """
    aside = max(_asides(database), default=None)
    if aside is None or not aside.exists() or not _fits(database, aside):
        aside = database.with_name(f"{database.name}{_PENDING}-{stamp}")
    _rename(database, aside)
    return aside


def pending(database: Path) -> Path | None:
    """The path of the first database that was moved aside and not read yet, if any file of one is there."""
    return min(_asides(database), default=None)


def settle(aside: Path, stamp: str) -> Path:
    """Name a database that was read so that it is not read again; gives its new path.

    The database itself goes first: should a crash leave its log behind, that is read alone and follows. The stamp is
    the one of the move; the given one counts where there was none.
    """
    name, _, moved = aside.name.rpartition(_PENDING)
    target = aside.with_name(f"{name}{_SETTLED}{moved or f'-{stamp}'}")
    if not _fits(aside, target):
        target = aside.with_name(f"{name}{_SETTLED}-{stamp}")
    _rename(aside, target)
    return target


def _piece(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _asides(database: Path) -> set[Path]:
    """The paths of databases moved aside, each once, whichever of its files is there."""
    name = re.compile(f"({re.escape(database.name + _PENDING)}(-[0-9]+)?)(-wal|-shm)?")
    found = (name.fullmatch(file.name) for file in database.parent.iterdir())
    return {database.with_name(match[1]) for match in found if match}


def _fits(source: Path, target: Path) -> bool:
    """Whether a rename of all files of a database takes the place of none that is there."""
    return not any(_piece(source, suffix).exists() and _piece(target, suffix).exists() for suffix in SUFFIXES)


def _rename(source: Path, target: Path) -> None:
    if not _fits(source, target):
        raise FileExistsError(errno.EEXIST, "a damaged queue lies there already", str(target))
    for suffix in SUFFIXES:
        if _piece(source, suffix).exists():
            _piece(source, suffix).rename(_piece(target, suffix))
    files.sync_folder(source.parent)


class Salvage:
    """All that can still be read of a damaged database: rows in order of their ids, then carved readings by time.

    It holds no more in memory than a chunk of a file and where each reading is; the counts are whole at the end.
    """

    def __init__(self, aside: Path, table: str) -> None:
        self._aside = aside
        self._table = table
        #: Rows given by their id, readings carved out beside them, and ids that gave nothing.
        self.rows = 0
        self.carved = 0
        self.unreadable = 0

    def __iter__(self) -> Iterator[bytes]:
        seen: set[bytes] = set()
        for row in _by_id(self._aside, self._table):
            if row is None:
                self.unreadable += 1
                continue
            seen.add(_digest(row))
            self.rows += 1
            yield row
        for row in _carved(self._aside, seen):
            self.carved += 1
            yield row


def _digest(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=16).digest()


def _by_id(aside: Path, table: str) -> Iterator[bytes | None]:
    """Every row that SQLite can still read, each asked for by its own id; None for an id that gives none."""
    if not aside.exists() or not aside.stat().st_size:
        return
    # Read-only: the damaged files stay as evidence. A writable schema lets SQLite read a file that is too short.
    with closing(sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.execute("PRAGMA writable_schema=ON")
        for row_id in _ids(connection, table):
            yield _row(connection, table, row_id)


def _ids(connection: sqlite3.Connection, table: str) -> list[int]:
    """The ids that may have a row, in order: those that a walk meets, and all from the first of them to the last given.

    A walk over a damaged page may raise or end early without a word; rows are only ever deleted from the front, so
    every id behind the first one had its row.
    """
    walked: list[int] = []
    with suppress(sqlite3.DatabaseError):
        for (row_id,) in connection.execute(f"SELECT _id FROM {table} ORDER BY _id"):  # noqa: S608
            if isinstance(row_id, int):  # a damaged schema may make it another column
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
        if row and isinstance(row[0], int) and row[0]:
            return row[0]
    return 0


def _row(connection: sqlite3.Connection, table: str, row_id: int) -> bytes | None:
    try:
        row = connection.execute(f"SELECT data FROM {table} WHERE _id = ?", (row_id,)).fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        return None
    return row[0] if row and isinstance(row[0], bytes) else None


def _carved(aside: Path, seen: set[bytes]) -> Iterator[bytes]:
    """Each whole reading in the raw bytes of a database and its log that was not seen yet, in order of time."""
    places: list[tuple[int, int, int, int]] = []
    with ExitStack() as stack:
        for path in (aside, _piece(aside, "-wal")):
            if path.exists():
                raw = stack.enter_context(path.open("rb", buffering=0)).fileno()
                for at, row in _readings_in(raw):
                    digest = _digest(row)
                    if digest not in seen:
                        seen.add(digest)
                        places.append((time_of(row) or 0, raw, at, len(row)))
        for _, raw, at, size in sorted(places):
            yield _read(raw, size, at)


def _readings_in(raw: int) -> Iterator[tuple[int, bytes]]:
    """Whole readings of a file with their places; one may come twice where chunks overlap."""
    for start in range(0, os.fstat(raw).st_size, _CHUNK):
        data = _read(raw, _CHUNK + _OVERLAP, start)
        at = 0
        for row in carve(data):
            at = data.index(row, at)
            yield start + at, row
            at += len(row)


def _read(raw: int, size: int, at: int) -> bytes:
    """The bytes at a place of a file; zeros where the disk cannot read them."""
    with suppress(OSError):
        data = os.pread(raw, size, at)
        if len(data) == min(size, os.fstat(raw).st_size - at):
            return data
    return b"".join(_block(raw, min(_BLOCK, at + size - start), start) for start in range(at, at + size, _BLOCK))


def _block(raw: int, size: int, at: int) -> bytes:
    try:
        return os.pread(raw, size, at)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return bytes(size)
