"""The stage that fills gaps on a clock that a test turns, beside the simulated controller's own log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pipeline import derived, log_part, settings
from pipeline.catalog import Catalog
from pipeline.gap_book import NAME, GapBook
from pipeline.history import TurnedClock
from pipeline.house import House
from pipeline.log_fetch import LogServer
from pipeline.log_part import LogRow
from pipeline.quarantine import Quarantine
from pipeline.reading import Answer
from pipeline.simulator_log import LogFault, SimulatedLog
from stages.backfill import Backfill
from tests.running import environment

#: The house behind the pump and its log; what it was in the past is worked out once.
HOUSE = House()


@lru_cache(maxsize=4000)
def remembered(moment: datetime) -> Answer:
    """What the house answered at a moment: logs of several tests have the same minutes."""
    return HOUSE.answer_at(moment)


@dataclass
class Bench:
    """A stage beside a simulated log, on a clock that is turned by hand."""

    stage: Backfill
    log: SimulatedLog
    clock: TurnedClock
    book: GapBook
    folder: Path

    def turn(self, to: datetime, by_s: float = 10.0) -> None:
        """Let the stage look every few seconds until a moment."""
        while self.clock.utc() < to:
            self.clock.turn(by_s)
            self.stage.step(self.clock.monotonic())

    def begin_anew(self) -> None:
        """A stage as the next process has it, on what the last one left."""
        self.stage, self.book = _built(self.folder, self.clock, self.log, is_asked=True)

    def rows(self) -> int:
        return len(log_rows(self.folder))


@contextmanager
def bench(folder: Path, *, now: datetime, fault: str = "", is_asked: bool = True) -> Iterator[Bench]:
    """A stage whose pump's web server stands beside it; only the gap book is kept where it is not to be asked."""
    clock = TurnedClock(now)
    with SimulatedLog(remembered, clock=clock) as log:
        log.fault = LogFault(fault) if fault else None
        stage, book = _built(folder, clock, log, is_asked=is_asked)
        yield Bench(stage, log, clock, book, folder)


def _built(folder: Path, clock: TurnedClock, log: SimulatedLog, *, is_asked: bool) -> tuple[Backfill, GapBook]:
    env = environment(folder, ("127.0.0.1", 1), BACKFILL_PORT=str(log.address[1]))
    book = GapBook(folder / NAME, Quarantine(folder / "quarantine").keep)
    fetch = LogServer(*log.address, whole_s=3).fetch if is_asked else None
    return derived.backfill(settings.load(env), book, clock=clock, interval_s=30, fetch=fetch), book


def log_rows(folder: Path) -> list[tuple[LogRow, dict[int, int]]]:
    """Every row of the log parts, with its raw integers by calculation."""
    shards = folder / "shards"
    days = [log_part.load(shards, Catalog(shards), day) for day in log_part.days(shards)]
    assert None not in days, "a damaged log part"
    return [
        (row, {sensor.index: raw for sensor, raw in zip(day.sensors, row.raws, strict=True) if raw is not None})
        for day in days
        if day
        for row in day.rows
    ]
