"""A round of damage at rest: a logger filled a folder and ended; after the damage the next start tells what it saw."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import gap_book, quarantine, readout
from pipeline.catalog import Catalog
from pipeline.clock import to_ms, utc_text
from pipeline.errors import LoggerError
from pipeline.gap import DISK
from pipeline.gap_book import GapBook
from pipeline.gap_watch import GapWatch
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Answer, decode
from pipeline.simulator import SimulatedPump
from pipeline.state import Document
from pipeline.store import Store
from stages.watch import Watch
from stages.write import Write
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import BrokenError, Tally
from tests.parts import BERLIN, TurnedClock, answer, open_shards
from tests.rollups import make_all, make_rollup
from tests.running import numbered

#: Steps in which a start must have dealt with whatever it found.
_TRIES = 10
#: Polls after the next start, so that what is missing lies between readings that are there.
_POLLS_AFTER = 3
#: How many calculations an answer has, and which of them move: not those that tell the pump and its firmware.
_CALCULATIONS = 380
_RESTLESS = range(100, _CALCULATIONS)
#: Loggers whose events are heard.
_HEARD = ("archive", "queue", "repair", "shard", "catalog", "rollup", "retain", "write", "store")


@dataclass(frozen=True)
class Told:
    """An event that the logger told."""

    what: str
    facts: dict[str, Any]


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(Told(record.getMessage(), getattr(record, "facts", {})))


@contextmanager
def heard() -> Iterator[list[Told]]:
    """What the logger tells from now on, in order; nothing of it is printed."""
    ear, loggers = _Ear(), [logging.getLogger(name) for name in _HEARD]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(ear)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield ear.told
    finally:
        for logger, (level, propagates) in zip(loggers, before, strict=True):
            logger.removeHandler(ear)
            logger.setLevel(level)
            logger.propagate = propagates


def restless(moment: datetime) -> Answer:
    """A small answer in which every value moves, so that encoded it takes as much of the queue as a real one."""
    chance = random.Random(moment.timestamp())
    calm = answer(calculations=_CALCULATIONS)
    raws = tuple(chance.randrange(1 << 20) if i in _RESTLESS else raw for i, raw in enumerate(calm.calculations))
    return replace(calm, calculations=raws)


@dataclass
class Scene:
    """A folder with its pump, polled every `every_s` by a clock of its own; the number of the round is its chance."""

    folder: Path
    number: int
    every_s: float
    clock: TurnedClock = field(default_factory=TurnedClock)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        self.data = self.folder / "data"
        self.journal = self.folder / "journal"
        self.clock.turn(self.chance.randrange(int(self.every_s)))
        self.pump = SimulatedPump(numbered(restless), journal=self.journal, clock=self.clock)

    @property
    def now(self) -> datetime:
        return self.clock.utc()

    @contextmanager
    def logger(self) -> Iterator[Logger]:
        """A logger at work on the folder, as a start finds it."""
        with closing(Queue(self.data / "queue" / "queue.db")) as queue:
            yield Logger(self, queue)

    @contextmanager
    def killed_logger(self) -> Iterator[Logger]:
        """The same, and the folder is left as it is at the end of the block, as a kill leaves it: nothing is closed."""
        left = self.folder / "left"
        with self.logger() as logger:
            yield logger
            shutil.copytree(self.data, left)
        shutil.rmtree(self.data)
        left.rename(self.data)

    def start_again(self) -> list[Told]:
        """The next start, a few polls more, and all files made; gives what the logger told."""
        with heard() as told:
            with self.logger() as logger:
                logger.drain()
                logger.poll(_POLLS_AFTER)
                logger.drain()
                logger.look()
            make_all(make_rollup(self.data, now=self.now))
        return told

    def tally(self, reported: int) -> Tally:
        """What stands there against what was sent."""
        return examine(self.data, self.journal, rounds=1, reported=reported, now=self.now, rotten=True)


class Logger:
    """The parts of the service that take readings to the shards, stepped by hand."""

    def __init__(self, scene: Scene, queue: Queue) -> None:
        self._scene = scene
        host, port = scene.pump.address
        self._pump = Pump(host, port, timeout_s=5)
        self.queue = queue
        shards = scene.data / "shards"
        read = partial(readout.read, shards, Catalog(shards))
        self.store = Store(queue, read, zone=BERLIN, clock=scene.clock)
        self._write: Write | None = None
        self._gaps = GapWatch(scene.every_s)
        self._watch = self._watching()

    def _watching(self) -> Watch:
        scene = self._scene
        kept = Quarantine(scene.data / "quarantine")
        return Watch(
            scene.data,
            self.store,
            self._gaps,
            GapBook(scene.data / gap_book.NAME, kept.keep),
            interval_s=scene.every_s,
            zone=BERLIN,
            clock=scene.clock,
            times=partial(readout.times, scene.data / "shards"),
            takeovers=lambda: self.queue.takeovers,
            silent=lambda _now: {},
            quarantined=partial(quarantine.lost, kept.folder),
            facts=self._facts,
        )

    def _facts(self) -> Document:
        oldest = self.store.oldest_waiting_ms()
        return {"queue": {"oldest": utc_text(oldest) if oldest is not None else None}}

    def look(self) -> None:
        """Bring the gap book and the state up to date."""
        self._watch.step(self._scene.clock.monotonic())

    def poll(self, count: int) -> None:
        """So many polls, each put on the queue."""
        for _ in range(count):
            now = self._scene.now
            self.store.add(now, self._pump.read())
            self._gaps.stored(to_ms(now), self._scene.clock.monotonic())
            self.look()
            self._scene.clock.turn(self._scene.every_s)

    def write_a_batch(self, count: int) -> None:
        """Store and acknowledge so many of the readings that wait."""
        readings = [decode(row) for row in self.queue.get(count)]
        open_shards(self._scene.data).append(readings)
        self.queue.acknowledge()

    def drain(self) -> None:
        """Write until nothing waits, in memory neither.

        Raises:
            BrokenError: it does not come to that.
        """
        for _ in range(_TRIES):
            try:
                while self._writer().step(0) == 0:
                    pass
            except (LoggerError, OSError):
                continue
            if not self.store.waiting:
                return
        raise BrokenError(f"the writer does not get on in {self._scene.data}")

    def _writer(self) -> Write:
        if self._write is None:
            data = self._scene.data
            self._write = Write(self.queue, open_shards(data), Quarantine(data / "quarantine"), self.store.catch_up)
        return self._write


def play(folder: Path, rounds: range, every_s: float, act: Callable[[Scene], Tally]) -> Tally:
    """Rounds in folders of their own; a folder whose round held is removed."""
    total = Tally()
    for number in rounds:
        scene = Scene(folder / f"round-{number}", number, every_s)
        scene.data.mkdir(parents=True)
        with scene.pump:
            tally = act(scene)
        total += Tally(**vars(tally) | {"connections": only_reads(scene.pump)})
        if tally.holds:
            shutil.rmtree(scene.folder)
    return total


def told_lost(folder: Path) -> int:
    """How many readings the gap book tells as lost by the disk."""
    return sum(gap.missing for gap in gap_book.read(folder / gap_book.NAME) if gap.reason == DISK)
