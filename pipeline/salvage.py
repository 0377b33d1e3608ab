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
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from pipeline import files
from pipeline.database import expected_ids, id_in_front, read_only, rows_by_id
from pipeline.reading import carve, time_of

#: The files that are one database: the database, its write-ahead log and the log's index.
SUFFIXES = ("", "-wal", "-shm")
_PENDING = ".salvage"
_SETTLED = ".damaged"
#: Bytes of a write-ahead log before its first frame.
_WAL_HEADER = 32
#: Bytes of a raw file that are looked through at a time.
_CHUNK = 1_048_576
#: Bytes of the largest page of SQLite: a reading that lies in one piece is no longer, so chunks overlap by it.
_OVERLAP = 65_536
#: Bytes of a row in front of its data, at most.
_CELL_HEAD = 32
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

    Rows that are no readings come last, and only if no whole copy of them was found. It holds no more in memory than
    these, a chunk of a file, and where each reading is; the counts are whole at the end.
    """

    def __init__(self, aside: Path, table: str) -> None:
        self._aside = aside
        self._table = table
        #: Rows given by their id, and readings carved out beside them.
        self.rows = 0
        self.carved = 0
        self._expected: range | None = None
        self._found: set[int] = set()
        self._others_ms: list[int] = []
        self._first_ms: int | None = None
        self._deleted_ms = 0

    @property
    def unreadable(self) -> int | None:
        """How many rows that were not acknowledged gave nothing; None where nothing tells how many there were."""
        if self._expected is None:
            return None
        # A reading whose id cannot be told waited if it is as new as those that did: freed rows stay in the file too.
        since = self._first_ms or self._deleted_ms + 1
        others = sum(time_ms >= since for time_ms in self._others_ms) if since > 1 else 0
        return max(len(self._expected) - len(self._found) - others, 0)

    def __iter__(self) -> Iterator[bytes]:
        seen: set[bytes] = set()
        damaged: dict[int, bytes] = {}
        with read_only(self._aside) as connection:
            self._expected = expected_ids(connection, self._table)
            for row_id, row in rows_by_id(connection, self._table):
                if next(carve(row), b"") != row:
                    damaged[row_id] = row
                    continue
                seen.add(_digest(row))
                self._count(row_id, row)
                self.rows += 1
                yield row
        for told_id, row in _carved(self._aside, seen):
            self._count(told_id, row)
            damaged.pop(told_id or 0, None)
            self.carved += 1
            yield row
        self.rows += len(damaged)
        self._found.update(damaged)
        yield from damaged.values()

    def _count(self, row_id: int | None, row: bytes) -> None:
        time_ms = time_of(row) or 0
        if row_id is None or self._expected is None or row_id not in range(1, self._expected.stop):
            self._others_ms.append(time_ms)
        elif row_id in self._expected:
            self._found.add(row_id)
            self._first_ms = min(self._first_ms or time_ms, time_ms)
        else:
            self._deleted_ms = max(self._deleted_ms, time_ms)


def _digest(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=16).digest()


def _carved(aside: Path, seen: set[bytes]) -> Iterator[tuple[int | None, bytes]]:
    """Each whole reading in the raw bytes of a database and its log that was not seen yet, with its id if it is told.

    They come in order of time.
    """
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
            prefix = _read(raw, min(at, _CELL_HEAD), max(at - _CELL_HEAD, 0))
            yield id_in_front(prefix, size), _read(raw, size, at)


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
