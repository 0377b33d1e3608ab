"""The whole service: builds vessels and stages from the settings, supervises their threads, stops in flow order."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline import VERSION, readout
from pipeline.alarm import Alarm, Bell
from pipeline.catalog import Catalog
from pipeline.clock import Clock, SystemClock
from pipeline.lock import InstanceLock, exclusive
from pipeline.log import event, failure
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.settings import Settings
from pipeline.shard import Shards
from pipeline.shelf import Shelf
from pipeline.stop import Stop
from pipeline.store import Store
from pipeline.worker import Worker
from stages.poll import Poll
from stages.retain import Retain
from stages.rollup import IDLE_S, Rollup
from stages.write import Write

log = logging.getLogger("service")

#: Folder for what could not be stored, in DATA_DIR.
QUARANTINE = "quarantine"

#: Lock file of derived files, in DATA_DIR: a command by hand and the service make them in turn.
ROLLUP_LOCK = "rollup.lock"

#: Seconds between two looks at the threads.
_SUPERVISE_S = 1.0
#: Seconds that stopping may take in all, and the poller's share of them: a hanging name look-up is left behind.
_STOP_S = 4.0
_POLLER_STOP_S = 1.0
#: Seconds after which a stop that is still not done ends the process.
_LAST_RESORT_S = 4.7

#: Exit code of a process that could not save all readings it had.
UNSAVED = 4


@dataclass(frozen=True)
class Service:
    """Everything that runs; made by `build`."""

    lock: InstanceLock
    pump: Pump
    queue: Queue
    store: Store
    write: Write
    rollup: Rollup
    poller: Worker
    writer: Worker
    roller: Worker
    alarm: Alarm

    def run(self, stop: Stop, prepare: Callable[[], object] = lambda: None) -> int:
        """Work until a stop is asked for; gives how many readings could not be saved.

        `prepare` is called when the folders are ours and nothing runs yet.

        Raises:
            AlreadyRunningError: another service holds one of the folders; nothing was started.
        """
        self.lock.acquire()
        try:
            prepare()
            for worker in (self.roller, self.writer, self.poller):
                worker.start()
            while not stop.wait(_SUPERVISE_S):
                self.alarm.tick()
                for worker in (self.roller, self.writer, self.poller):
                    worker.replace_if_dead()
            return self._stop()
        finally:
            self.lock.release()

    def _stop(self) -> int:
        """End in the order of the flow: no new reading, buffer to queue, queue to shards as far as time allows."""
        # A log that nobody reads or a disk that hangs can block any of our threads, this one too.
        last_resort = threading.Timer(_LAST_RESORT_S, self._leave)
        last_resort.daemon = True
        last_resort.start()
        deadline = time.monotonic() + _STOP_S
        self.poller.stop()
        self.pump.abort()
        self.rollup.stop()
        self.roller.stop()
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
        # Asked once more: draining may have made room for what waited in memory.
        self.store.close()
        self.queue.close()

    def _drain(self, deadline: float) -> None:
        try:
            while time.monotonic() < deadline and self.write.step(time.monotonic()) == 0:
                pass
        except Exception:  # noqa: BLE001 - what is left stays on the queue for the next start
            failure(log, "queue not drained at the stop; it is at the next start")

    def _leave(self) -> None:
        """End the process without a word; what the queue took is there at the next start."""
        os._exit(UNSAVED if self.store.waiting else 0)


def build(settings: Settings, *, clock: Clock | None = None, interval_s: float | None = None) -> Service:
    """The service that the settings describe; nothing is opened or started.

    `clock` and `interval_s` (seconds, may be shorter than the settings allow) are for tests and campaigns.
    """
    clock = clock or SystemClock()
    interval_s = interval_s or settings.interval_s
    address = f"{settings.host}:{settings.port}"
    _announce(settings, address, interval_s)
    folder = settings.output.shards
    quarantine = Quarantine(settings.data_dir / QUARANTINE)
    queue = Queue(settings.cache_path)
    catalog = Catalog(folder)
    shards = Shards(folder, catalog, quarantine)
    read = partial(readout.read, folder, catalog)
    store = Store(queue, read, zone=settings.zone, clock=clock, batch=settings.buffer_samples)
    pump = Pump(settings.host or "", settings.port, timeout_s=settings.timeout_s)
    poll = Poll(pump.read, store.add, address=address, interval_s=interval_s, retries=settings.retries, clock=clock)
    write = Write(queue, shards, quarantine, store.catch_up)
    rollup = build_rollup(settings, clock=clock, oldest_waiting=store.oldest_waiting_ms)
    retain = _build_retain(settings, clock, shards, catalog, rollup)
    roll = Bell()
    return Service(
        lock=InstanceLock(_folders(settings)),
        pump=pump,
        queue=queue,
        store=store,
        write=write,
        rollup=rollup,
        poller=Worker("poller", poll.step, clock),
        writer=Worker("writer", write.step, clock, wait=queue.wait, wake=queue.wake),
        roller=Worker("rollup", partial(_roll, rollup, retain), clock, wait=roll.wait, wake=roll.ring),
        alarm=Alarm(roll.ring, clock),
    )


def _announce(settings: Settings, address: str, interval_s: float) -> None:
    facts = {"version": VERSION, "pump": address, "interval_s": interval_s, "zone": settings.zone.key}
    event(log, logging.INFO, "starting", **facts, data=settings.data_dir)
    for warning in settings.warnings:
        log.warning(warning)


def build_rollup(
    settings: Settings, *, clock: Clock, oldest_waiting: Callable[[], int | None] = lambda: None
) -> Rollup:
    """The rollup stage alone, as the service and the command by hand use it."""
    return Rollup(
        Shelf(settings.output.shards, settings.data_dir / QUARANTINE),
        _kinds(settings),
        csv_time=settings.csv_time,
        zone=settings.zone,
        retention_days=settings.csv_retention_days,
        clock=clock,
        lock=_rollup_lock(settings),
        oldest_waiting=oldest_waiting,
    )


def _build_retain(settings: Settings, clock: Clock, shards: Shards, catalog: Catalog, rollup: Rollup) -> Retain:
    return Retain(
        settings.output.shards,
        _kinds(settings),
        csv_retention_days=settings.csv_retention_days,
        shard_retention_days=settings.shard_retention_days,
        compress_after_days=settings.compress_after_days,
        zone=settings.zone,
        clock=clock,
        closed=shards.closed,
        renew=catalog.renew,
        lock=_rollup_lock(settings),
        needed_from=rollup.needed_from,
    )


def _rollup_lock(settings: Settings) -> Callable[[], AbstractContextManager[None]]:
    return partial(exclusive, settings.data_dir / ROLLUP_LOCK)


def _kinds(settings: Settings) -> dict[str, Path]:
    return {"daily": settings.output.daily, "weekly": settings.output.weekly}


def _folders(settings: Settings) -> list[Path]:
    """Every folder that is ours alone while the service runs."""
    output = settings.output
    queue = settings.cache_path.parent
    return [settings.data_dir, queue, output.shards, output.daily, output.weekly, output.archive]


def _roll(rollup: Rollup, retain: Retain, now: float) -> float:
    """One file; when none is due any more, what is old enough goes."""
    pause_s = rollup.step(now)
    if pause_s == IDLE_S:
        retain.step()
    return pause_s
