"""The whole service: builds vessels and stages from the settings, supervises their threads, stops in flow order."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial

from pipeline import VERSION, readout
from pipeline.catalog import Catalog
from pipeline.clock import Clock, SystemClock
from pipeline.lock import InstanceLock
from pipeline.log import event, failure
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.settings import Settings
from pipeline.shard import Shards
from pipeline.stop import Stop
from pipeline.store import Store
from pipeline.worker import Worker
from stages.poll import Poll
from stages.write import Write

log = logging.getLogger("service")

#: Folder for what could not be stored, in DATA_DIR.
QUARANTINE = "quarantine"

#: Seconds between two looks at the threads.
_SUPERVISE_S = 1.0
#: Seconds that stopping may take in all, and the poller's share of them: a hanging name look-up is left behind.
_STOP_S = 4.0
_POLLER_STOP_S = 1.0


@dataclass(frozen=True)
class Service:
    """Everything that runs; made by `build`."""

    lock: InstanceLock
    pump: Pump
    queue: Queue
    store: Store
    write: Write
    poller: Worker
    writer: Worker

    def run(self, stop: Stop) -> int:
        """Work until a stop is asked for; gives how many readings could not be saved.

        Raises:
            AlreadyRunningError: another service holds one of the folders; nothing was started.
        """
        self.lock.acquire()
        try:
            for worker in (self.writer, self.poller):
                worker.start()
            while not stop.wait(_SUPERVISE_S):
                for worker in (self.writer, self.poller):
                    worker.replace_if_dead()
            return self._stop()
        finally:
            self.lock.release()

    def _stop(self) -> int:
        """End in the order of the flow: no new reading, buffer to queue, queue to shards as far as time allows."""
        deadline = time.monotonic() + _STOP_S
        self.poller.stop()
        self.pump.abort()
        self.poller.join(_POLLER_STOP_S)
        unsaved = self.store.close()
        self.writer.stop()
        if self.writer.join(deadline - time.monotonic()):
            self._drain(deadline)
            self.queue.close()
        event(log, logging.INFO if not unsaved else logging.ERROR, "stopped", unsaved=unsaved)
        return unsaved

    def _drain(self, deadline: float) -> None:
        try:
            while time.monotonic() < deadline and self.write.step(time.monotonic()) == 0:
                pass
        except Exception:  # noqa: BLE001 - what is left stays on the queue for the next start
            failure(log, "queue not drained at the stop; it is at the next start")


def build(settings: Settings, *, clock: Clock | None = None, interval_s: float | None = None) -> Service:
    """The service that the settings describe; nothing is opened or started.

    `clock` and `interval_s` (seconds, may be shorter than the settings allow) are for tests and campaigns.
    """
    clock = clock or SystemClock()
    shards, output = settings.output.shards, settings.output
    quarantine = Quarantine(settings.data_dir / QUARANTINE)
    queue = Queue(settings.cache_path)
    catalog = Catalog(shards)
    store = Store(
        queue,
        partial(readout.read, shards, catalog),
        zone=settings.zone,
        clock=clock,
        batch=settings.buffer_samples,
    )
    pump = Pump(settings.host or "", settings.port, timeout_s=settings.timeout_s)
    poll = Poll(
        pump.read,
        store.add,
        address=f"{settings.host}:{settings.port}",
        interval_s=interval_s or settings.interval_s,
        retries=settings.retries,
        clock=clock,
    )
    write = Write(queue, Shards(shards, catalog, quarantine), quarantine, store.catch_up)
    event(
        log,
        logging.INFO,
        "starting",
        version=VERSION,
        pump=f"{settings.host}:{settings.port}",
        interval_s=interval_s or settings.interval_s,
        zone=settings.zone.key,
        data=settings.data_dir,
    )
    for warning in settings.warnings:
        log.warning(warning)
    return Service(
        lock=InstanceLock(
            [settings.data_dir, settings.cache_path.parent, shards, output.daily, output.weekly, output.archive]
        ),
        pump=pump,
        queue=queue,
        store=store,
        write=write,
        poller=Worker("poller", poll.step, clock),
        writer=Worker("writer", write.step, clock, wait=queue.wait, wake=queue.wake),
    )
