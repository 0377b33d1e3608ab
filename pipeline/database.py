"""The queue's database as SQLite sees it: looked over before it is used, its troubles told in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from pipeline.errors import DamagedQueueError, QueueError

#: Seconds to wait for another program's lock on the file: a stop must never wait long, and a later try is harmless.
BUSY_S = 1.0

#: What SQLite says when the file is not a sound database of ours any more; every other failure may pass. A plain error
#: is one of them: our statements never change, so one that names no table or column found a damaged schema.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})

#: How many ids before the last given one are asked for: more than a month of readings.
_MOST_IDS = 100_000

#: Bytes of a value by its type in a row's header: none, integers, a float, 0 and 1.
_TYPE_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)


def look_over(path: Path, table: str) -> None:
    """Refuse a file that is no sound database with our columns; the library would leave such a one open for good."""
    if not path.exists() or not path.stat().st_size:
        return
    # Read-only, so that closing it leaves a log as it is: a damaged file is moved aside together with its log.
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DamagedQueueError(f"{path}: {verdict}")
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            # To the check any table is sound: the columns that are used are asked for by name.
            connection.execute(f"SELECT _id, data, timestamp FROM {table} LIMIT 1").fetchall()  # noqa: S608


def acknowledge(connection: sqlite3.Connection, table: str, last: int) -> None:
    """Delete all rows up to an id, and keep in the file's header that they were deleted: no damage of theirs counts."""
    with connection:
        connection.execute(f"DELETE FROM {table} WHERE _id <= ?", (last,))  # noqa: S608
        _set_acknowledged(connection, last)


def prove_acknowledged(connection: sqlite3.Connection, table: str) -> int:
    """The last id that was deleted, by the rows of a sound database; its header says the same from now on."""
    first = connection.execute(f"SELECT MIN(_id) FROM {table}").fetchone()[0]  # noqa: S608
    last = (last_given(connection, table) or 0) if first is None else first - 1
    if acknowledged(connection) != last:
        with connection:
            _set_acknowledged(connection, last)
    return last


def acknowledged(connection: sqlite3.Connection) -> int:
    """The last id that was deleted, as the header says."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _set_acknowledged(connection: sqlite3.Connection, last: int) -> None:
    connection.execute(f"PRAGMA user_version = {last:d}")


def last_given(connection: sqlite3.Connection, table: str) -> int | None:
    """The last id that a row was ever given; None where nothing tells it."""
    row = connection.execute(f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'").fetchone()  # noqa: S608
    return row[0] if row and isinstance(row[0], int) else None


def id_in_front(prefix: bytes, size: int) -> int | None:
    """The id of a row in the raw bytes of a page, from the bytes in front of its `size` bytes of data.

    A cell is: varints of the payload's size and of the id; the header's size, the types of `_id` (kept as the id: 0),
    of `data` and of `timestamp`; then the data. None where that is not what stands there, as in a cell that was freed.
    """
    blob = _varint(12 + 2 * size)
    header = len(blob) + 3
    if len(prefix) < header or not prefix[:-1].endswith(bytes([header, 0]) + blob) or prefix[-1] >= len(_TYPE_SIZES):
        return None
    before = prefix[:-header]
    begin = len(before) - 1
    while begin > 0 and before[begin - 1] & 0x80:
        begin -= 1
    payload = _varint(header + size + _TYPE_SIZES[prefix[-1]])
    digits = before[begin:]
    if not digits or digits[-1] & 0x80 or not before[:begin].endswith(payload):
        return None
    return int("".join(f"{digit & 0x7F:07b}" for digit in digits), 2)


def _varint(number: int) -> bytes:
    """SQLite's way to write a number below 2^56: seven bits a byte, the highest bit set but in the last."""
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.insert(0, number & 0x7F | 0x80)
    return bytes(digits)


@contextmanager
def read_only(aside: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to a database that only reads; None where there is no file."""
    if not aside.exists() or not aside.stat().st_size:
        yield None
        return
    # Read-only: the damaged files stay as evidence. A writable schema lets SQLite read a file that is too short.
    with closing(sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.execute("PRAGMA writable_schema=ON")
        yield connection


def expected_ids(connection: sqlite3.Connection | None, table: str) -> range | None:
    """The ids of all rows that were not acknowledged; None where the database does not tell them any more."""
    if connection is None:
        return None
    try:
        first, last = acknowledged(connection) + 1, last_given(connection, table)
    except sqlite3.DatabaseError:
        return None
    return None if last is None or first > last + 1 else range(first, last + 1)


def rows_by_id(connection: sqlite3.Connection | None, table: str) -> Iterator[tuple[int, bytes]]:
    """Every row that SQLite can still read, each asked for by its own id."""
    if connection is not None:
        for row_id in _ids(connection, table):
            row = _row(connection, table, row_id)
            if row is not None:
                yield row_id, row


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
    last = _last(connection, table)
    first = min(walked, default=1)
    return sorted({*walked, *range(max(first, last - _MOST_IDS), last + 1)})


def _last(connection: sqlite3.Connection, table: str) -> int:
    with suppress(sqlite3.DatabaseError):
        return last_given(connection, table) or 0
    with suppress(sqlite3.DatabaseError):
        return int(connection.execute(f"SELECT MAX(_id) FROM {table}").fetchone()[0] or 0)  # noqa: S608
    return 0


def _row(connection: sqlite3.Connection, table: str, row_id: int) -> bytes | None:
    try:
        row = connection.execute(f"SELECT data FROM {table} WHERE _id = ?", (row_id,)).fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        return None
    return row[0] if row and isinstance(row[0], bytes) else None


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
        raise (DamagedQueueError if damaged else QueueError)(f"{path}: {error}") from error
    except OSError as error:
        raise QueueError(f"{path}: {error}") from error
