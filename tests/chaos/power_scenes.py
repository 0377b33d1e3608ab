"""What a logger does while the power goes: each scene prepares a folder and plays a stretch of work on it.

A new scene is one more entry of `SCENES`. The queue is the real one and lies outside the file layer, since SQLite has
tests of its own for this: at a cut it is taken to hold exactly what was put on it and not acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline import readout
from pipeline.catalog import Catalog
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.shard import Shards
from pipeline.shelf import Shelf
from pipeline.store import Store
from stages.retain import Retain
from stages.rollup import Rollup
from stages.write import Write
from tests.chaos.examine import contents
from tests.parts import BERLIN, TurnedClock, open_shards, reading
from tests.rollups import SEVEN, make_all

DAY_S = 86_400
#: Seconds from noon in Berlin to the midnight after it.
MIDNIGHT_S = 43_200
GARBAGE = b"no reading at all"


@dataclass(frozen=True)
class Queued:
    """What the queue took until now, and what of it is not acknowledged."""

    taken: tuple[bytes, ...] = ()
    waiting: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return f"{len(self.taken)} rows taken, {len(self.waiting)} not acknowledged"


@dataclass(frozen=True)
class Published:
    """What the daily and weekly files held when the stage said that they were made, by plain name."""

    files: dict[str, bytes]

    def __str__(self) -> str:
        return f"{len(self.files)} files published"


class NotedQueue(Queue):
    """The real queue, which tells what it holds whenever that changes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tell: Callable[[object], object] = lambda _what: None
        self.held = Queued()
        self._got = 0

    def put(self, encoded: Sequence[bytes]) -> None:
        super().put(encoded)
        self._note(Queued((*self.held.taken, *encoded), (*self.held.waiting, *encoded)))

    def get(self, most: int) -> list[bytes]:
        batch = super().get(most)
        self._got += len(batch)
        return batch

    def acknowledge(self) -> None:
        super().acknowledge()
        self._note(Queued(self.held.taken, self.held.waiting[self._got :]))
        self._got = 0

    def rewind(self) -> None:
        super().rewind()
        self._got = 0

    def _note(self, held: Queued) -> None:
        self.held = held
        self.tell(held)


@dataclass(frozen=True)
class Scene:
    """A stretch of work; `keep` are the settings of retention and compression (days), `now` the time it is done at."""

    name: str
    about: str
    prepare: Callable[[Path], object]
    play: Callable[[Process], object]
    now: datetime
    keep: tuple[int, int, int] = (30, 0, 0)


class Process:
    """The stages of a logger that begins on a folder, as the service builds them."""

    def __init__(self, folder: Path, queue: Queue, scene: Scene) -> None:
        clock = TurnedClock(scene.now)
        csv_days, shard_days, compress_days = scene.keep
        quarantine, catalog = Quarantine(folder / "quarantine"), Catalog(folder / "shards")
        shards = Shards(folder / "shards", catalog, quarantine)
        stored = Store(queue, lambda *span: readout.read(folder / "shards", catalog, *span), zone=BERLIN, clock=clock)
        kinds = {kind: folder / kind for kind in ("daily", "weekly")}
        self.folder = folder
        self.queue = queue
        self.write = Write(queue, shards, quarantine, stored.catch_up)
        self.rollup = Rollup(
            Shelf(folder / "shards", folder / "quarantine"),
            kinds,
            csv_time=SEVEN,
            zone=BERLIN,
            retention_days=csv_days,
            clock=clock,
            lock=nullcontext,
            oldest_waiting=stored.oldest_waiting_ms,
            reserve=0,
        )
        self.retain = Retain(
            folder / "shards",
            kinds,
            csv_retention_days=csv_days,
            shard_retention_days=shard_days,
            compress_after_days=compress_days,
            zone=BERLIN,
            clock=clock,
            closed=shards.closed,
            renew=catalog.renew,
            needed_from=self.rollup.needed_from,
        )

    def take(self, *rows: Reading | bytes) -> None:
        """Put rows on the queue and write all that is on it."""
        self.queue.put([row if isinstance(row, bytes) else row.encode() for row in rows])
        self.drain()

    def drain(self) -> None:
        while self.write.step(0) == 0:
            pass

    def roll(self) -> None:
        """Make what is due, and tell after each file which ones are there."""
        while self.rollup.step(0) == 0:
            self.tell_published()

    def tell_published(self) -> None:
        if isinstance(self.queue, NotedQueue):
            self.queue.tell(Published(contents(self.folder)))

    def settle(self) -> None:
        """All work that is there to do."""
        self.drain()
        make_all(self.rollup)
        self.retain.step()
        make_all(self.rollup)


def _readings(begin_s: float, count: int, letters: str = "V3.88") -> list[Reading]:
    return [reading(begin_s + 30 * i, letters=letters) for i in range(count)]


def _append(process: Process) -> None:
    """A day change, another firmware and back, a clock set back, equal times, a redelivery and rows that are none."""
    process.take(*_readings(MIDNIGHT_S - 600, 3))
    process.take(*_readings(MIDNIGHT_S - 510, 15), GARBAGE, *_readings(MIDNIGHT_S, 16))
    process.take(*_readings(MIDNIGHT_S + 480, 1), *_readings(MIDNIGHT_S + 570, 2, "V3.89"))
    twin = reading(MIDNIGHT_S + 480, 999_999)
    process.take(*_readings(MIDNIGHT_S + 480, 1), twin, *_readings(MIDNIGHT_S + 15, 2), GARBAGE + b", another")


def _damage(folder: Path) -> None:
    """Two days of readings, the first with a bad header, the second with a bad line and a bad tail."""
    open_shards(folder).append([*_readings(-DAY_S, 4), *_readings(0, 12)])
    first, second = sorted((folder / "shards").glob("*.csv"))
    first.write_bytes(first.read_bytes().replace(b"time", b"\0\0\0\0", 1))
    *lines, last = second.read_bytes().splitlines(keepends=True)
    second.write_bytes(b"".join([*lines[:5], b"2026-01-05T\0\0\0\0\n", *lines[5:], last, last[:100]]))


def _repair(process: Process) -> None:
    process.take(*_readings(360, 4))
    process.take(*_readings(-DAY_S + 600, 2))


def _two_parts(folder: Path) -> None:
    """Readings of a day in two parts that overlap in time."""
    shards = open_shards(folder)
    shards.append(_readings(0, 14))
    shards.append(_readings(345, 3))


def _rollup(process: Process) -> None:
    process.roll()
    process.take(*_readings(600, 16))
    process.roll()


def _week(folder: Path) -> None:
    """Five days with all their daily and weekly files."""
    open_shards(folder).append([each for i in range(5) for each in _readings(DAY_S * (i - 4), 2)])
    with closing(Queue(folder.with_name("made") / "queue.db")) as queue:
        make_all(Process(folder, queue, replace(RETAIN, keep=(0, 0, 0))).rollup)


def _retain(process: Process) -> None:
    process.tell_published()
    process.retain.step()


#: After midnight, before any window ends that holds readings; and when all windows have ended.
_NIGHT = datetime(2026, 1, 6, 5, tzinfo=UTC)
_MORNING = datetime(2026, 1, 6, 8, tzinfo=UTC)
RETAIN = Scene("retain", "compression and deletion of old files", _week, _retain, _MORNING, keep=(1, 2, 1))
SCENES = (
    Scene(
        "append",
        "batches appended and acknowledged, over midnight, in several parts",
        lambda _: None,
        _append,
        _NIGHT,
    ),
    Scene("repair", "a damaged shard mended at the start", _damage, _repair, _MORNING),
    Scene("rollup", "daily and weekly files made, and made again for late readings", _two_parts, _rollup, _MORNING),
    RETAIN,
)
