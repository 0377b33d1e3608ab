"""Runs a built service: starts its threads, replaces what dies, stops all in the order of the flow."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import data_format, exits
from pipeline.alarm import Alarm
from pipeline.lock import InstanceLock
from pipeline.log import event, failure
from pipeline.log_fetch import LogServer
from pipeline.marks import Marks
from pipeline.pump import Pump
from pipeline.queue import Queue
from pipeline.stop import Stop
from pipeline.store import Store
from pipeline.worker import Worker
from stages.rollup import Rollup
from stages.watch import Watch
from stages.write import Write

log = logging.getLogger("service")

#: Seconds between two looks at the threads.
_SUPERVISE_S = 1.0
#: Seconds that stopping may take in all, and the poller's share of them: a hanging name look-up is left behind.
_STOP_S = 4.0
_POLLER_STOP_S = 1.0
#: Seconds after which a stop that is still not done ends the process.
_LAST_RESORT_S = 4.7


@dataclass(frozen=True)
class Service:
    """Everything that runs; made by `build`."""

    data_dir: Path
    lock: InstanceLock
    pump: Pump
    queue: Queue
    store: Store
    write: Write
    rollup: Rollup
    marks: Marks
    watch: Watch
    poller: Worker
    writer: Worker
    roller: Worker
    watcher: Worker
    backfiller: Worker
    alarm: Alarm
    log_server: LogServer | None = None
    web: Worker | None = None

    def run(self, stop: Stop, prepare: Callable[[], object] = lambda: None) -> int:
        """Work until a stop is asked for; gives how many readings could not be saved.

        `prepare` is called when the folders are ours and nothing runs yet.

        Raises:
            AlreadyRunningError: another service holds one of the folders; nothing was started.
            NewerFormatError: a newer version worked on the folder; nothing was started or touched.
        """
        # Before the lock too: taking it writes in the folders.
        data_format.check(self.data_dir)
        self.lock.acquire()
        try:
            data_format.claim(self.data_dir)
            prepare()
            for worker in self.workers:
                worker.start()
            while not stop.wait(_SUPERVISE_S):
                self.alarm.tick()
                for worker in self.workers:
                    worker.replace_if_dead()
            return self._stop()
        finally:
            self.lock.release()

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The threads in the order in which they start: against the flow, so that each finds its reader there."""
        parts = (self.watcher, self.backfiller, self.roller, self.writer, self.poller)
        return (*parts, self.web) if self.web else parts

    def _stop(self) -> int:
        """End in the order of the flow: no new reading, buffer to queue, queue to shards as far as time allows."""
        # A log that nobody reads or a disk that hangs can block any of our threads, this one too.
        last_resort = threading.Timer(_LAST_RESORT_S, self._leave)
        last_resort.daemon = True
        last_resort.start()
        deadline = time.monotonic() + _STOP_S
        self.poller.stop()
        self.pump.abort()
        if self.log_server:
            self.log_server.stop()
        self.backfiller.stop()
        if self.web:
            self.web.stop()
        self.rollup.stop()
        self.marks.stop()
        self.roller.stop()
        self.watcher.stop()
        self.poller.join(_POLLER_STOP_S)
        flushing = threading.Thread(target=self._flush, args=(deadline,), name="flush", daemon=True)
        flushing.start()
        flushing.join(max(deadline - time.monotonic(), 0.0))
        unsaved = self.store.waiting
        event(log, logging.ERROR if unsaved else logging.INFO, "stopped", unsaved=unsaved)
        last_resort.cancel()
        return unsaved

    def _flush(self, deadline: float) -> None:
        """Buffer to queue, queue to shards; in a thread of its own, for a hanging disk must not hold up the stop."""
        self.store.close()
        self.writer.stop()
        if self.writer.join(deadline - time.monotonic()):
            self._drain(deadline)
            self.roller.join(deadline - time.monotonic())
            self.backfiller.join(deadline - time.monotonic())
        # Asked once more: draining may have made room for what waited in memory.
        self.store.close()
        if self.watcher.join(deadline - time.monotonic()):
            self.watch.close()
        self.queue.close()

    def _drain(self, deadline: float) -> None:
        try:
            while time.monotonic() < deadline and self.write.step(time.monotonic()) == 0:
                pass
        except Exception:  # noqa: BLE001 - what is left stays on the queue for the next start
            failure(log, "queue not drained at the stop; it is at the next start")

    def _leave(self) -> None:
        """End the process without a word; what the queue took is there at the next start."""
        os._exit(exits.UNSAVED if self.store.waiting else 0)
