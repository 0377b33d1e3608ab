"""Drains the queue into the shards: a batch is acknowledged when every byte of it is durable, never before."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pipeline.errors import DamagedReadingError, LoggerError
from pipeline.log import event
from pipeline.quarantine import FROM_QUEUE, Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading, decode
from pipeline.shard import Shards

log = logging.getLogger("write")

#: Readings of one batch: one fsync and one acknowledgement for all of them, about 8 MB in memory.
BATCH = 256
#: Seconds after which an idle writer looks at the queue without being woken.
IDLE_S = 5.0


class Write:
    """One batch a step; `catch_up` lets readings that wait in memory try the queue again."""

    def __init__(
        self, queue: Queue, shards: Shards, quarantine: Quarantine, catch_up: Callable[[], object] = lambda: None
    ) -> None:
        self._queue = queue
        self._catch_up = catch_up
        self._shards = shards
        self._quarantine = quarantine
        self._checked = False
        #: Readings stored, and pieces of the queue that were none.
        self.stored = 0
        self.quarantined = 0

    def step(self, _now: float) -> float:
        """Move one batch; gives the seconds until the next step: none while more may wait.

        Raises:
            OSError, LoggerError: nothing was acknowledged; the same batch comes again.
        """
        if not self._checked:
            self._shards.check()
            self._checked = True
        self._catch_up()
        try:
            batch = self._queue.get(BATCH)
            if not batch:
                return IDLE_S
            self._store(batch)
            self._queue.acknowledge()
        except BaseException:
            self._queue.rewind()
            raise
        return 0.0

    def _store(self, batch: list[bytes]) -> None:
        readings = [reading for row in batch if (reading := self._decoded(row))]
        try:
            self._shards.append(readings)
        except Exception as error:
            if _may_pass(error):
                raise
            self._store_singly(readings)
        else:
            self.stored += len(readings)

    def _store_singly(self, readings: list[Reading]) -> None:
        for reading in readings:
            try:
                self._shards.append([reading])
                self.stored += 1
            except Exception as error:
                if _may_pass(error):
                    raise
                self._keep(reading.encode(), error)

    def _decoded(self, row: bytes) -> Reading | None:
        try:
            return decode(row)
        except DamagedReadingError as error:
            self._keep(row, error)
            return None

    def _keep(self, row: bytes, error: Exception) -> None:
        kept = self._quarantine.keep(FROM_QUEUE, row)
        self.quarantined += 1
        event(log, logging.ERROR, "reading quarantined", error=error, bytes=len(row), kept=kept)


def _may_pass(error: Exception) -> bool:
    """Whether the same batch may be stored later: a full disk or memory passes, a reading that has no line does not."""
    return isinstance(error, OSError | MemoryError) or (isinstance(error, LoggerError) and error.retry)
