"""The persistent queue between poller and writer: what was put is there after a crash, until it is acknowledged.

On disk it is one SQLite database in WAL mode, `synchronous=FULL`: a put is durable when `put` returns. Each row holds
one encoded reading. One producer puts, one consumer gets and acknowledges; a batch that was got is given again after
`rewind` or a restart, until `acknowledge` deletes it. A file that is no sound database with our table is moved aside,
and so is a log without its database; what can be read of them is taken over by the next use: readings that were written
already are known as such by the writer.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pipeline import salvage
from pipeline.database import acknowledge, translated
from pipeline.errors import DamagedQueueError, QueueError
from pipeline.library_queue import TABLE, LibraryQueue, as_bytes
from pipeline.log import event

log = logging.getLogger("queue")

T = TypeVar("T")

#: Rows that a snapshot holds in memory, and keeps others from the queue for, at a time.
_CHUNK = 500


class Queue:
    """The queue at a path, opened at the first use and again after a failure.

    Every method raises `QueueError` when the disk does not serve now; nothing is lost by trying again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrived = threading.Event()
        self._lock = threading.RLock()
        self._open: LibraryQueue | None = None
        self._acknowledged = 0
        self._replaced = 0
        #: Damaged queues whose readings were taken over since the start.
        self.takeovers = 0

    def put(self, encoded: Sequence[bytes]) -> None:
        """Take encoded readings together, in order: when this returns they are durable, when it raises none is in."""
        with self._using() as queue:
            queue.insert(encoded)
        self._arrived.set()

    def get(self, most: int) -> list[bytes]:
        """The next encoded readings in order, at most so many; empty when none waits."""
        batch: list[bytes] = []
        with self._using() as queue:
            while len(batch) < most and (row := queue.next_row()) is not None:
                batch.append(row)
        return batch

    def acknowledge(self) -> None:
        """Delete all that was got: only the writer calls this, and only when every byte of it is durable."""
        with self._using() as queue:
            # Not the library's `task_done`: the header of the file tells in the same transaction what is gone.
            with queue.tran_lock:
                acknowledge(queue._putter, TABLE, queue.cursor)
            self._acknowledged = queue.cursor

    def rewind(self) -> None:
        """Give again what was got since the last acknowledgement."""
        with self._lock:
            if self._open is not None:
                self._open.cursor = self._acknowledged

    def snapshot(self) -> Iterator[bytes]:
        """Every encoded reading that is not acknowledged, in order, read without getting it, a chunk at a time.

        What is put after the first one was asked for does not come; what is acknowledged meanwhile may or may not.
        A `QueueError` may come on the way too, as when the queue was replaced by a new one.
        """
        with self._using() as queue:
            replaced = self._replaced
            last = queue._getter.execute(f"SELECT MAX(_id) FROM {TABLE}").fetchone()[0]  # noqa: S608
        after = 0
        while rows := self._rows(after, last, replaced):
            yield from (as_bytes(data) for _, data in rows)
            after = rows[-1][0]

    def depth(self) -> int:
        """How many readings are not acknowledged."""
        with self._using() as queue:
            return int(queue._count())  # SQL; the public qsize leaves out what was got

    def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer to a question that only reads, asked of the connection that is open."""
        with self._using() as queue:
            return question(queue._getter)

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

    def _rows(self, after: int, last: int | None, replaced: int) -> list[tuple[int, object]]:
        """The next rows of a snapshot behind an id."""
        with self._using() as queue:
            if self._replaced != replaced:
                raise QueueError(f"{self.path}: replaced while it was read", hint="read it again")
            asked = f"SELECT _id, data FROM {TABLE} WHERE _id > ? AND _id <= ? ORDER BY _id LIMIT {_CHUNK}"  # noqa: S608
            return list(queue._getter.execute(asked, (after, last)))

    @contextmanager
    def _using(self) -> Iterator[LibraryQueue]:
        with self._lock:
            try:
                with translated(self.path):
                    yield self._opened()
            except DamagedQueueError as error:
                self._replace(error)
                raise

    def _opened(self) -> LibraryQueue:
        if self._open is None:
            if salvage.is_orphaned(self.path):
                raise DamagedQueueError(f"{self.path}: a write-ahead log without its database")
            queue = LibraryQueue.open(self.path)
            try:
                self.takeovers += _take_over(queue, self.path)
            except BaseException:
                queue.close()
                raise
            self._open, self._acknowledged = queue, queue.cursor
        return self._open

    def _replace(self, error: DamagedQueueError) -> None:
        """Move the damaged files aside; the next use begins anew with the rows that can still be read of them."""
        self._replaced += 1
        self.close()
        with translated(self.path):
            aside = salvage.move_aside(self.path, str(time.time_ns()))
        event(log, logging.ERROR, "damaged queue moved aside", error=error, aside=aside)
        self._arrived.set()


def _take_over(queue: LibraryQueue, path: Path) -> int:
    """Put what is readable of files moved aside; done twice after a crash, the writer drops the second copy."""
    takeovers = 0
    while aside := salvage.pending(path):
        found = salvage.Salvage(aside, TABLE)
        queue.insert(found)
        kept = salvage.settle(aside, str(time.time_ns()))
        facts = {
            "taken_over": found.rows + found.carved,
            "carved": found.carved,
            "unreadable": "unknown" if found.unreadable is None else found.unreadable,
            "kept": kept,
        }
        event(log, logging.WARNING, "readings of a damaged queue taken over", **facts)
        takeovers += 1
    return takeovers
