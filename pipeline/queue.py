"""The persistent queue between poller and writer: what was put is there after a crash, until it is acknowledged.

On disk it is one SQLite database in WAL mode, `synchronous=FULL`: a put is durable when `put` returns. Each row holds
one encoded reading. One producer puts, one consumer gets and acknowledges; a batch that was got is given again after
`rewind` or a restart, until `acknowledge` deletes it. A file that is no sound database is moved aside and what can be
read of it is taken over: readings that were written already are known as such by the writer.

The library's own corners, each met here: its cursor lives in memory and a later `task_done` would delete a batch that
failed, so a failure rewinds it; `get(timeout)` waits by the wall clock, so waiting is an event of our own; a row that
its serializer cannot read would be passed over and then deleted, so the serializer is the identity; `qsize` leaves
out what was got but not acknowledged, so depth comes from SQL.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from persistqueue import SQLiteQueue
from persistqueue.exceptions import Empty

from pipeline import salvage
from pipeline.errors import DamagedQueueError, QueueError
from pipeline.log import event

log = logging.getLogger("queue")

#: The library names its table `queue_<name>`.
TABLE = "queue_default"

#: `PRAGMA synchronous` of a connection whose commits are fsynced.
_FULL = 2

#: What SQLite says when the file is not a sound database any more; every other failure may pass.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

#: Bytes above which the file of an empty queue is given back to the disk when it is opened.
_SHRINK_ABOVE = 8_000_000


class _Identity:
    """The library's serializer slot: readings are encoded and decoded by their own module."""

    @staticmethod
    def dumps(value: bytes) -> bytes:
        return value

    @staticmethod
    def loads(value: object) -> bytes:
        # A row that holds no bytes is none of ours; whatever it is goes on as bytes and is quarantined as such.
        return value if isinstance(value, bytes) else repr(value).encode()


class Queue:
    """The queue at a path, opened at the first use and again after a failure.

    Every method raises `QueueError` when the disk does not serve now; nothing is lost by trying again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrived = threading.Event()
        self._lock = threading.RLock()
        self._open: SQLiteQueue | None = None
        self._acknowledged = 0

    def put(self, encoded: Sequence[bytes]) -> None:
        """Take encoded readings together, in order: when this returns they are durable, when it raises none is in."""
        with self._using() as queue:
            _insert(queue, encoded)
        self._arrived.set()

    def get(self, most: int) -> list[bytes]:
        """The next encoded readings in order, at most so many; empty when none waits."""
        batch: list[bytes] = []
        with self._using() as queue:
            while len(batch) < most:
                try:
                    batch.append(queue.get_nowait())
                except Empty:
                    break
        return batch

    def acknowledge(self) -> None:
        """Delete all that was got: only the writer calls this, and only when every byte of it is durable."""
        with self._using() as queue:
            queue.task_done()
            self._acknowledged = queue.cursor

    def rewind(self) -> None:
        """Give again what was got since the last acknowledgement."""
        with self._lock:
            if self._open is not None:
                self._open.cursor = self._acknowledged

    def snapshot(self) -> list[bytes]:
        """Every encoded reading that is not acknowledged, in order, read without getting it."""
        with self._using() as queue:
            rows = queue._getter.execute(f"SELECT data FROM {TABLE} ORDER BY _id")  # noqa: S608
            return [_Identity.loads(data) for (data,) in rows]

    def depth(self) -> int:
        """How many readings are not acknowledged."""
        with self._using() as queue:
            return int(queue._count())  # SQL; the public qsize leaves out what was got

    def wait(self, timeout_s: float) -> None:
        """Return when a reading arrived or `wake` was called since the last wait, or after so many seconds."""
        self._arrived.wait(timeout_s)
        self._arrived.clear()

    def wake(self) -> None:
        """End a wait early."""
        self._arrived.set()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    @contextmanager
    def _using(self) -> Iterator[SQLiteQueue]:
        with self._lock:
            try:
                with _translated(self.path):
                    yield self._opened()
            except DamagedQueueError as error:
                self._replace(error)
                raise

    def _opened(self) -> SQLiteQueue:
        if self._open is None:
            if salvage.is_orphaned(self.path):
                raise DamagedQueueError(f"{self.path}: a write-ahead log without its database")
            queue = _open(self.path)
            try:
                _take_over(queue, self.path)
            except BaseException:
                queue.close()
                raise
            self._open, self._acknowledged = queue, queue.cursor
        return self._open

    def _replace(self, error: DamagedQueueError) -> None:
        """Move the damaged files aside; the next use begins anew with the rows that can still be read of them."""
        self.close()
        with _translated(self.path):
            aside = salvage.move_aside(self.path, _stamp())
        event(log, logging.ERROR, "damaged queue moved aside", error=error, aside=aside)
        self._arrived.set()


def _take_over(queue: SQLiteQueue, path: Path) -> None:
    """Put what is readable of files moved aside; done twice after a crash, the writer drops the second copy."""
    aside = salvage.pending(path)
    if aside is None:
        return
    found = salvage.read(aside, TABLE)
    if found.rows:
        _insert(queue, found.rows)
    kept = salvage.settle(aside, _stamp())
    facts = {"taken_over": len(found.rows), "unreadable": found.unreadable, "kept": kept}
    event(log, logging.WARNING, "readings of a damaged queue taken over", **facts)


def _stamp() -> str:
    """What tells damaged files of one place apart, rising with time."""
    return str(time.time_ns())


def _open(path: Path) -> SQLiteQueue:
    queue = SQLiteQueue(
        str(path.parent), db_file_name=path.name, multithreading=True, auto_commit=False, serializer=_Identity
    )
    try:
        _prove(queue, path)
        if queue.empty() and path.stat().st_size > _SHRINK_ABOVE:
            queue.shrink_disk_usage()
    except BaseException:
        queue.close()
        raise
    return queue


def _prove(queue: SQLiteQueue, path: Path) -> None:
    """Make the connection that writes fsync every commit, and look the whole file over."""
    writing = queue._putter
    writing.execute("PRAGMA synchronous=FULL")
    ((mode,),), ((level,),) = (writing.execute(f"PRAGMA {name}").fetchall() for name in ("journal_mode", "synchronous"))
    if (mode, level) != ("wal", _FULL):
        raise QueueError(f"{path}: journal mode {mode}, synchronous {level} where wal and {_FULL} are needed")
    verdict = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise DamagedQueueError(f"{path}: {verdict}")


def _insert(queue: SQLiteQueue, encoded: Sequence[bytes]) -> None:
    # The library commits row by row; one transaction makes a batch whole and costs one fsync.
    now = time.time()
    with queue.tran_lock, queue._putter as connection:
        connection.executemany(queue._sql_insert, [(data, now) for data in encoded])


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
        raise (DamagedQueueError if damaged else QueueError)(f"{path}: {error}") from error
    except OSError as error:
        raise QueueError(f"{path}: {error}") from error
