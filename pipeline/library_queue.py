"""persist-queue's SQLite queue, mended at its corners, each met here.

Its cursor lives in memory and a later `task_done` would delete a batch that failed, so a failure rewinds it and the
writer's acknowledgement is a statement of our own; `get(timeout)` waits by the wall clock, so waiting is an event of
our own; a row that its serializer cannot read would be passed over and then deleted, so the serializer is the identity;
`qsize` leaves out what was got but not acknowledged, so depth comes from SQL; it commits row by row, so a batch is a
transaction of our own; where it cannot open its database, as on a full disk, its connections stay open until the
garbage collector comes by, so they are closed here.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from persistqueue import SQLiteQueue
from persistqueue.exceptions import Empty

from pipeline.database import BUSY_S, look_over, prove_acknowledged
from pipeline.errors import QueueError

#: The library names its table `queue_<name>`.
TABLE = "queue_default"

#: `PRAGMA synchronous` of a connection whose commits are fsynced.
_FULL = 2

#: Bytes above which the file of an empty queue is given back to the disk when it is opened.
_SHRINK_ABOVE = 8_000_000


def as_bytes(value: object) -> bytes:
    """What a row holds; one that holds no bytes is none of ours, goes on as bytes and is quarantined as such."""
    return value if isinstance(value, bytes) else repr(value).encode()


class _Identity:
    """The library's serializer slot: readings are encoded and decoded by their own module."""

    loads = staticmethod(as_bytes)

    @staticmethod
    def dumps(value: bytes) -> bytes:
        return value


class LibraryQueue(SQLiteQueue):  # type: ignore[misc]  # the library has no types
    """The library's queue on two connections of which the one that writes fsyncs every commit."""

    @classmethod
    def open(cls, path: Path) -> LibraryQueue:
        """Open the database at a path, made where there is none, with the cursor at what was acknowledged.

        Raises:
            DamagedQueueError: no sound database with our columns stands there.
            QueueError: it cannot be made durable.
            sqlite3.Error, OSError: the disk does not serve now.
        """
        look_over(path, TABLE)
        queue = cls(
            str(path.parent),
            db_file_name=path.name,
            multithreading=True,
            timeout=BUSY_S,
            auto_commit=False,
            serializer=_Identity,
        )
        try:
            queue._prove(path)
            # The library begins at 0 where the table is empty.
            queue.cursor = prove_acknowledged(queue._putter, TABLE)
            if queue.empty() and path.stat().st_size > _SHRINK_ABOVE:
                queue.shrink_disk_usage()
        except BaseException:
            queue.close()
            raise
        return queue

    def insert(self, encoded: Iterable[bytes]) -> None:
        """Put rows together: durable when this returns, and none is in when it raises."""
        now = time.time()
        with self.tran_lock, self._putter as connection:
            connection.executemany(self._sql_insert, ((data, now) for data in encoded))

    def next_row(self) -> bytes | None:
        """The next row behind the cursor, which moves on; None where there is none."""
        try:
            return as_bytes(self.get_nowait())
        except Empty:
            return None

    def _init(self) -> None:
        try:
            super()._init()
        except BaseException:
            self.close()
            raise

    def _new_db_connection(self, path: str, multithreading: bool, timeout: float) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path}/{self.db_file_name}", timeout=timeout, check_same_thread=not multithreading
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prove(self, path: Path) -> None:
        """Make the connection that writes fsync every commit."""
        asked = self._putter.execute
        asked("PRAGMA synchronous=FULL")
        ((mode,),), ((level,),) = (asked(f"PRAGMA {name}").fetchall() for name in ("journal_mode", "synchronous"))
        if (mode, level) != ("wal", _FULL):
            raise QueueError(f"{path}: journal mode {mode}, synchronous {level} where wal and {_FULL} are needed")
