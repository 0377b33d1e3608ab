"""The whole service, built from the settings: vessels, the stages that are given them, a thread for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import date
from functools import partial
from pathlib import Path

from pipeline import VERSION, day_columns, quarantine, queue_view, readout, web
from pipeline.alarm import Alarm, Bell
from pipeline.archive import Archive, Damage
from pipeline.catalog import Catalog
from pipeline.clock import Clock, SystemClock, from_ms
from pipeline.columns import Columns
from pipeline.day_reader import DayReader
from pipeline.errors import QueueError
from pipeline.gap_book import NAME as GAP_BOOK
from pipeline.gap_book import GapBook
from pipeline.lock import InstanceLock, exclusive
from pipeline.log import event
from pipeline.marks import Marks
from pipeline.places import ARCHIVE, QUARANTINE, ROLLUP_LOCK
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.settings import Settings
from pipeline.shard import Shards
from pipeline.shelf import Shelf
from pipeline.state import Document
from pipeline.store import Store
from pipeline.supervisor import UNSAVED, Service
from pipeline.worker import Worker
from stages.archive import Archiving
from stages.poll import Poll
from stages.retain import Retain
from stages.rollup import IDLE_S, Rollup
from stages.watch import Watch
from stages.write import Write

__all__ = ["UNSAVED", "Service", "build", "build_archive", "build_rollup"]

log = logging.getLogger("service")


def build(settings: Settings, *, clock: Clock | None = None, interval_s: float | None = None) -> Service:
    """The service that the settings describe; nothing is opened or started.

    `clock` and `interval_s` (seconds, may be shorter than the settings allow) are for tests and campaigns.
    """
    clock = clock or SystemClock()
    interval_s = interval_s or settings.interval_s
    address = f"{settings.host}:{settings.port}"
    _announce(settings, address, interval_s)
    folder = settings.output.shards
    kept = Quarantine(settings.data_dir / QUARANTINE)
    queue = Queue(settings.cache_path)
    catalog = Catalog(folder)
    shards = Shards(folder, catalog, kept)
    read = partial(readout.read, folder, catalog)
    store = Store(queue, read, zone=settings.zone, clock=clock, batch=settings.buffer_samples)
    pump = Pump(settings.host or "", settings.port, timeout_s=settings.timeout_s)
    poll = Poll(pump.read, store.add, address=address, interval_s=interval_s, retries=settings.retries, clock=clock)
    write = Write(queue, shards, kept, store.catch_up)
    rollup = build_rollup(settings, clock=clock, oldest_waiting=store.oldest_waiting_ms)
    retain = _build_retain(settings, clock, shards, catalog, rollup)
    damage = Damage()
    archiving = _build_archiving(settings, clock, catalog, store, retain, damage)
    marks = Marks(folder, catalog, clock)
    roll = Bell()
    poller = Worker("poller", poll.step, clock, period_s=max(interval_s, settings.timeout_s))
    writer = Worker("writer", write.step, clock, wait=queue.wait, wake=queue.wake)
    roller = Worker("rollup", partial(_roll, rollup, retain, archiving, marks), clock, wait=roll.wait, wake=roll.ring)
    stages = (poller, writer, roller)
    archive = build_archive(settings, catalog, damage, DayReader(folder, catalog).read)
    inside = web.Inside(queue, store, poll, write, shards, rollup, marks, catalog, archive)
    page = web.build(settings, inside, clock, interval_s) if settings.http_port else None
    facts = partial(_facts, settings, queue, store, poll, archiving, marks, (*stages, page) if page else stages)
    watch = _build_watch(settings, interval_s, clock, store, queue, poll, stages, facts)
    return Service(
        data_dir=settings.data_dir,
        lock=InstanceLock(_folders(settings)),
        pump=pump,
        queue=queue,
        store=store,
        write=write,
        rollup=rollup,
        marks=marks,
        watch=watch,
        poller=poller,
        writer=writer,
        roller=roller,
        watcher=Worker("watch", watch.step, clock),
        alarm=Alarm(roll.ring, clock),
        web=page,
    )


def _build_watch(
    settings: Settings,
    interval_s: float,
    clock: Clock,
    store: Store,
    queue: Queue,
    poll: Poll,
    stages: Sequence[Worker],
    facts: Callable[[], Document],
) -> Watch:
    kept = Quarantine(settings.data_dir / QUARANTINE)
    return Watch(
        settings.data_dir,
        store,
        poll.gaps,
        GapBook(settings.data_dir / GAP_BOOK, kept.keep),
        interval_s=interval_s,
        batch=settings.buffer_samples,
        zone=settings.zone,
        clock=clock,
        times=partial(readout.times, settings.output.shards),
        takeovers=lambda: queue.takeovers,
        silent=partial(_silent, stages),
        quarantined=partial(quarantine.lost, kept.folder),
        facts=facts,
    )


def _silent(stages: Sequence[Worker], now: float) -> dict[str, float]:
    return {worker.name: silent_s for worker in stages if (silent_s := worker.silent_s(now))}


def _facts(
    settings: Settings,
    queue: Queue,
    store: Store,
    poll: Poll,
    archiving: Archiving,
    marks: Marks,
    stages: Sequence[Worker],
) -> Document:
    """What the parts tell of themselves."""
    try:
        view: Document = asdict(queue_view.of(queue, settings.data_dir / QUARANTINE))
    except QueueError:  # told by the queue itself, which moves a damaged one aside at its next use
        view = dict.fromkeys(field.name for field in fields(queue_view.QueueView))
    return {
        "queue": view | {"in_memory": store.waiting},
        "restarts": {worker.name: worker.restarts for worker in stages},
        "archive": {"days": archiving.days, "due": archiving.due},
        "quality": marks.summary().encode(),
        "polls": {"stored": poll.polls, "missed": poll.missed, "failures": poll.failures},
        "pump": {"address": poll.address, **(asdict(poll.controller) if poll.controller else {})},
    }


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


def _build_archiving(
    settings: Settings, clock: Clock, catalog: Catalog, store: Store, retain: Retain, damage: Damage
) -> Archiving:
    def oldest_waiting() -> date | None:
        waiting = store.oldest_waiting_ms()
        return None if waiting is None else from_ms(waiting).astimezone(settings.zone).date()

    archive = build_archive(settings, catalog, damage)
    return Archiving(archive, zone=settings.zone, clock=clock, oldest_waiting=oldest_waiting, limit=retain.shard_limit)


def build_archive(
    settings: Settings,
    catalog: Catalog | None = None,
    damage: Damage | None = None,
    read: Callable[[date], tuple[Columns, Sequence[str]]] | None = None,
) -> Archive:
    """The archive alone, as the service fills it and commands read it; `read` where days are read in another way."""
    folder = settings.output.shards
    shelf = Shelf(folder, settings.data_dir / QUARANTINE)
    known = (folder, catalog or Catalog(folder))
    path = settings.output.archive / ARCHIVE
    return Archive(path, shelf, read or partial(day_columns.read, *known), partial(day_columns.room, *known), damage)


def _rollup_lock(settings: Settings) -> Callable[[], AbstractContextManager[None]]:
    return partial(exclusive, settings.data_dir / ROLLUP_LOCK)


def _kinds(settings: Settings) -> dict[str, Path]:
    return {"daily": settings.output.daily, "weekly": settings.output.weekly}


def _folders(settings: Settings) -> list[Path]:
    """Every folder that is ours alone while the service runs."""
    output = settings.output
    queue = settings.cache_path.parent
    return [settings.data_dir, queue, output.shards, output.daily, output.weekly, output.archive]


def _roll(rollup: Rollup, retain: Retain, archiving: Archiving, marks: Marks, now: float) -> float:
    """One file; when none is due any more, what is old enough goes, then a day is archived, then what cannot be right
    is marked.
    """
    pause_s = rollup.step(now)
    if pause_s == IDLE_S:
        retain.step()
        if archiving.step() | marks.step():
            return 0.0
    return pause_s
