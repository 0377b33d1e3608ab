"""Days before a demo: a simulated house through the real poll, queue and write steps, on a turned clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from pipeline import readout
from pipeline.catalog import Catalog
from pipeline.clock import Clock
from pipeline.settings import Settings
from pipeline.simulator import Source
from pipeline.store import Store
from pipeline.supervisor import Service
from stages.poll import Poll
from stages.write import BATCH

#: Seconds between two readings of the history.
_INTERVAL_S = 30


class TurnedClock:
    """A clock that goes only when it is turned."""

    def __init__(self, start: datetime) -> None:
        self._utc = start
        self._monotonic = 0.0

    def utc(self) -> datetime:
        return self._utc

    def monotonic(self) -> float:
        return self._monotonic

    def turn(self, seconds: float) -> None:
        self._utc += timedelta(seconds=seconds)
        self._monotonic += seconds


def fill(
    built: Service,
    settings: Settings,
    source: Source,
    *,
    since: datetime,
    until: datetime,
    progress: Callable[[float, float], object],
    stopping: Callable[[], bool] = lambda: False,
    interval_s: int | None = None,
) -> int:
    """Store a reading for each `interval_s` of [since, until), 30 s where it is not given; gives how many. `progress`
    is told how many of how many, `stopping` asked whether to end before.
    """
    every_s = interval_s or _INTERVAL_S
    clock = TurnedClock(since)
    read = partial(readout.read, settings.output.shards, Catalog(settings.output.shards))
    store = Store(built.queue, read, zone=settings.zone, clock=clock, batch=BATCH)
    poll = Poll(lambda: source(clock.utc()), store.add, address="history", interval_s=every_s, retries=0, clock=clock)
    before = built.write.stored
    expected = (until - since).total_seconds() / every_s
    while clock.utc() < until and not stopping():
        clock.turn(poll.step(clock.monotonic()))
        if poll.polls % BATCH == 0:
            _drain(built, clock)
            progress(poll.polls, expected)
    store.close()
    _drain(built, clock)
    return built.write.stored - before


def _drain(built: Service, clock: Clock) -> None:
    while built.write.step(clock.monotonic()) == 0:
        pass
