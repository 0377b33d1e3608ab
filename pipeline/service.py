"""The whole service, built from the settings: vessels, the stages that are given them, a thread for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import date
from functools import partial
from pathlib import Path

from pipeline import VERSION, derived, quarantine, queue_view, readout, vessels, web
from pipeline.alarm import Alarm, Bell
from pipeline.clock import Clock, SystemClock, from_ms
from pipeline.day_reader import DayReader
from pipeline.errors import QueueError
from pipeline.lock import InstanceLock
from pipeline.log import event
from pipeline.marks import Marks
from pipeline.places import QUARANTINE
from pipeline.settings import Settings
from pipeline.state import Document
from pipeline.supervisor import Service
from pipeline.vessels import Vessels
from pipeline.worker import Worker
from stages.archive import Archiving
from stages.backfill import Backfill
from stages.poll import Poll
from stages.retain import Retain
from stages.rollup import IDLE_S, Rollup
from stages.watch import Watch
from stages.write import Write

log = logging.getLogger("service")


def build(settings: Settings, *, clock: Clock | None = None, interval_s: float | None = None) -> Service:
    """The service that the settings describe; nothing is opened or started.

    `clock` and `interval_s` (seconds, may be shorter than the settings allow) are for tests and campaigns.
    """
    clock = clock or SystemClock()
    interval_s = interval_s or settings.interval_s
    _announce(settings, interval_s)
    held = vessels.build(settings, clock)
    poll = _build_poll(settings, interval_s, clock, held)
    write = Write(held.queue, held.shards, held.kept, held.store.catch_up)
    rollup = derived.rollup(settings, clock=clock, oldest_waiting=held.store.oldest_waiting_ms)
    retain = _build_retain(settings, clock, held, rollup)
    archiving = _build_archiving(settings, clock, held, retain)
    roll = Bell()
    make = partial(_roll, rollup, retain, archiving, held.marks)
    poller = Worker("poller", poll.step, clock, period_s=max(interval_s, settings.timeout_s))
    writer = Worker("writer", write.step, clock, wait=held.queue.wait, wake=held.queue.wake)
    roller = Worker("rollup", make, clock, wait=roll.wait, wake=roll.ring)
    fill = _build_backfill(settings, interval_s, clock, held)
    backfiller = Worker("backfill", fill.step, clock)
    stages = (poller, writer, roller, backfiller)
    page = _build_page(settings, interval_s, clock, held, poll, write, rollup)
    facts = partial(_facts, settings, held, poll, archiving, (*stages, page) if page else stages)
    watch = _build_watch(settings, interval_s, clock, held, poll, stages, facts)
    return Service(
        data_dir=settings.data_dir,
        lock=InstanceLock(_folders(settings)),
        pump=held.pump,
        queue=held.queue,
        store=held.store,
        write=write,
        rollup=rollup,
        marks=held.marks,
        watch=watch,
        poller=poller,
        writer=writer,
        roller=roller,
        watcher=Worker("watch", watch.step, clock),
        backfiller=backfiller,
        log_server=held.log_server,
        alarm=Alarm(roll.ring, clock),
        web=page,
    )


def _build_poll(settings: Settings, interval_s: float, clock: Clock, held: Vessels) -> Poll:
    return Poll(
        held.pump.read,
        held.store.add,
        address=_address(settings),
        interval_s=interval_s,
        retries=settings.retries,
        clock=clock,
    )


def _build_backfill(settings: Settings, interval_s: float, clock: Clock, held: Vessels) -> Backfill:
    fetch = held.log_server.fetch if held.log_server else None
    return derived.backfill(settings, held.book, clock=clock, interval_s=interval_s, catalog=held.catalog, fetch=fetch)


def _build_page(
    settings: Settings, interval_s: float, clock: Clock, held: Vessels, poll: Poll, write: Write, rollup: Rollup
) -> Worker | None:
    """The page's thread, with an archive of its own that reads days also from open shards."""
    if not settings.http_port:
        return None
    read = DayReader(settings.output.shards, held.catalog).read
    archive = derived.archive(settings, held.catalog, held.damage, read)
    inside = web.Inside(held.queue, held.store, poll, write, held.shards, rollup, held.marks, held.catalog, archive)
    return web.build(settings, inside, clock, interval_s)


def _build_watch(
    settings: Settings,
    interval_s: float,
    clock: Clock,
    held: Vessels,
    poll: Poll,
    stages: Sequence[Worker],
    facts: Callable[[], Document],
) -> Watch:
    return Watch(
        settings.data_dir,
        held.store,
        poll.gaps,
        held.book,
        interval_s=interval_s,
        batch=settings.buffer_samples,
        zone=settings.zone,
        clock=clock,
        times=partial(readout.times, settings.output.shards),
        takeovers=lambda: held.queue.takeovers,
        silent=partial(_silent, stages),
        quarantined=partial(quarantine.lost, held.kept.folder),
        facts=facts,
    )


def _silent(stages: Sequence[Worker], now: float) -> dict[str, float]:
    return {worker.name: silent_s for worker in stages if (silent_s := worker.silent_s(now))}


def _facts(settings: Settings, held: Vessels, poll: Poll, archiving: Archiving, stages: Sequence[Worker]) -> Document:
    """What the parts tell of themselves."""
    try:
        view: Document = asdict(queue_view.of(held.queue, settings.data_dir / QUARANTINE))
    except QueueError:  # told by the queue itself, which moves a damaged one aside at its next use
        view = dict.fromkeys(field.name for field in fields(queue_view.QueueView))
    return {
        "queue": view | {"in_memory": held.store.waiting},
        "restarts": {worker.name: worker.restarts for worker in stages},
        "archive": {"days": archiving.days, "due": archiving.due},
        "quality": held.marks.summary().encode(),
        "polls": {"stored": poll.polls, "missed": poll.missed, "failures": poll.failures},
        "pump": {"address": poll.address, **(asdict(poll.controller) if poll.controller else {})},
    }


def _address(settings: Settings) -> str:
    return f"{settings.host}:{settings.port}"


def _announce(settings: Settings, interval_s: float) -> None:
    facts = {"version": VERSION, "pump": _address(settings), "interval_s": interval_s, "zone": settings.zone.key}
    event(log, logging.INFO, "starting", **facts, data=settings.data_dir)
    for warning in settings.warnings:
        log.warning(warning)


def _build_retain(settings: Settings, clock: Clock, held: Vessels, rollup: Rollup) -> Retain:
    return Retain(
        settings.output.shards,
        derived.kinds(settings),
        csv_retention_days=settings.csv_retention_days,
        shard_retention_days=settings.shard_retention_days,
        compress_after_days=settings.compress_after_days,
        zone=settings.zone,
        clock=clock,
        closed=held.shards.closed,
        renew=held.catalog.renew,
        lock=derived.lock(settings),
        needed_from=rollup.needed_from,
    )


def _build_archiving(settings: Settings, clock: Clock, held: Vessels, retain: Retain) -> Archiving:
    def oldest_waiting() -> date | None:
        waiting = held.store.oldest_waiting_ms()
        return None if waiting is None else from_ms(waiting).astimezone(settings.zone).date()

    archive = derived.archive(settings, held.catalog, held.damage)
    return Archiving(archive, zone=settings.zone, clock=clock, oldest_waiting=oldest_waiting, limit=retain.shard_limit)


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
