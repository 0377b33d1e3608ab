"""All readings in one place: the buffer in memory, the queue on disk, the shards; each reading is in them once.

A reading is safe once the queue took it. While the queue takes none, at most `MAX_WAITING` wait in memory, in order.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipeline.clock import Clock, local_label, to_ms, to_ms_up
from pipeline.errors import BufferFullError, ClosedError, DamagedReadingError, QueryError, QueueError
from pipeline.outage import Outage
from pipeline.queue import Queue
from pipeline.reading import Answer, Reading, decode, time_of

log = logging.getLogger("store")


class Durable(NamedTuple):
    """The time (ms, UTC) of the last reading that the queue took, and when it did on the monotonic clock (s)."""

    time_ms: int
    at: float


#: Readings that may wait in memory while the disk takes none: a day of them at 30 s.
MAX_WAITING = 2880


class Store:
    """Where the poller adds and readers query.

    `stored` gives the readings of the shards in [start, end) ms; `batch` is how many readings are put together.
    """

    def __init__(
        self,
        queue: Queue,
        stored: Callable[[int, int], Iterator[Reading]],
        *,
        zone: ZoneInfo,
        clock: Clock,
        batch: int = 1,
    ) -> None:
        self._queue = queue
        self._stored = stored
        self._zone = zone
        self._batch = batch
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._closed = False
        self._durable: Durable | None = None
        #: The last reading that was added, None before the first one.
        self.newest: Reading | None = None
        self._clock = clock
        self._outage = Outage(log, "queue", clock)
        #: Readings refused because as many as allowed waited already.
        self.refused = 0

    def add(self, timestamp: datetime, data: Answer) -> Reading:
        """Take a reading; its local day and UTC offset are fixed now.

        Raises:
            ValueError: the time is naive.
            BufferFullError: the disk takes nothing and the memory is used up; the reading is counted as refused.
            ClosedError: the store was closed before.
        """
        time_ms = to_ms(timestamp)
        reading = Reading(time_ms, *local_label(timestamp, self._zone), data)
        with self._lock:
            if self._closed:
                raise ClosedError("a reading came after the store was closed", hint="it is not stored")
            if len(self._waiting) >= MAX_WAITING and not self._flush():
                self.refused += 1
                raise BufferFullError(f"{MAX_WAITING} readings wait in memory", hint="free space for the queue")
            self._waiting.append(reading.encode())
            self.newest = reading
            if len(self._waiting) >= self._batch:
                self._flush()
        return reading

    @property
    def waiting(self) -> int:
        """How many readings are in memory only; asked without the lock, so that a hanging disk cannot hold it up."""
        return len(self._waiting)

    @property
    def durable(self) -> Durable | None:
        """The last reading that is safe; None before the first one."""
        return self._durable

    def unsaved(self) -> list[int]:
        """The times (ms) of the readings that are in memory only, in order; asked without the lock, as `waiting` is."""
        return [time_of(row) or 0 for row in list(self._waiting)]

    def catch_up(self) -> None:
        """Try again to put on the queue what should be there and could not."""
        with self._lock:
            if len(self._waiting) >= self._batch:
                self._flush()

    def close(self) -> int:
        """Refuse further readings and flush; gives how many readings could not be saved."""
        with self._lock:
            self._closed = True
            self._flush()
            return len(self._waiting)

    def oldest_waiting_ms(self) -> int | None:
        """The time of the oldest reading that is not in the shards for sure; None where none waits.

        Raises:
            QueueError: the queue cannot be read now.
        """
        return min(self.waiting_times(), default=None)

    def waiting_times(self) -> Iterator[int]:
        """The times (ms) of the readings that are not in the shards for sure, in memory and on the queue.

        Raises:
            QueueError: the queue cannot be read now.
        """
        with self._lock:
            buffered = list(self._waiting)
        rows = chain(self._queue.snapshot(), buffered)
        return (time_ms for row in rows if (time_ms := time_of(row)) is not None)

    def query(self, start: datetime, end: datetime) -> Iterator[Reading]:
        """The readings of [start, end) in time order, wherever they are.

        Raises:
            QueryError: a time is naive, or the end lies before the start.
            QueueError: the queue cannot be read now.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise QueryError(f"a time without an offset: {start} to {end}", hint="pass aware times")
        if end < start:
            raise QueryError(f"the end {end} lies before the start {start}")
        return self._query(to_ms_up(start), to_ms_up(end))

    def _query(self, start_ms: int, end_ms: int) -> Iterator[Reading]:
        # In the order of the flow: what moves on meanwhile is met again further down, and known by its time.
        with self._lock:
            buffered = list(self._waiting)
        rows = chain(self._queue.snapshot(), buffered)
        # All of the queue before any of the shards; encoded, a reading takes a fiftieth of the memory.
        waiting = [row for row in rows if start_ms <= (time_of(row) or 0) < end_ms]
        merged = _merge(self._stored(start_ms, end_ms), waiting)
        return (reading for reading in merged if reading.time_ms < end_ms)

    def _flush(self) -> bool:
        if not self._waiting:
            return True
        try:
            self._queue.put(self._waiting)
        except QueueError as error:
            facts = {"waiting": len(self._waiting), "most": MAX_WAITING, "refused": self.refused, "error": error}
            self._outage.seen("queue takes no readings, they wait in memory", **facts)
            return False
        self._outage.over(saved=len(self._waiting), refused=self.refused)
        self._durable = Durable(time_of(self._waiting[-1]) or 0, self._clock.monotonic())
        self._waiting.clear()
        return True


def _decoded(row: bytes) -> Reading | None:
    try:
        return decode(row)
    except DamagedReadingError:
        return None  # the writer quarantines and tells of it


def _merge(stored: Iterator[Reading], waiting: list[bytes]) -> Iterator[Reading]:
    """Both in time order; a waiting reading that is stored already comes once, as the writer would place it."""
    heap = [(time_of(row) or 0, i, row) for i, row in enumerate(waiting)]
    heapq.heapify(heap)
    last: Reading | None = None
    for row in chain(stored, [None]):
        while heap and (row is None or heap[0][0] < row.time_ms):
            time_ms, i, encoded = heapq.heappop(heap)
            reading = _decoded(encoded)
            if reading is None:
                continue
            if last is None or last.time_ms != time_ms:
                last = replace(reading, time_ms=time_ms)
                yield last
            elif last.answer != reading.answer:
                heapq.heappush(heap, (time_ms + 1, i, encoded))
        if row is not None:
            last = row
            yield row
