"""What the logger's parts do while calls to the disk fail: batches stored, rollups made, old files packed and deleted.

A scene is prepared in a folder without a fault; then come the steps that are attacked. A step says whether it is done
and is called until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.catalog import Catalog
from pipeline.clock import from_ms
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.shard import Shards
from pipeline.store import Store
from stages.retain import Retain
from stages.rollup import IDLE_S, Rollup
from stages.write import Write
from tests.parts import BERLIN, NOON, TurnedClock, open_shards, reading
from tests.rollups import NOW, make_all, make_rollup

Step = Callable[[], bool]

_DAY_S = 86_400.0
#: A moment after the windows that end on 7 January.
_LATER = datetime(2026, 1, 7, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """`wanted` are the readings that the shards hold at the end, which is `now`."""

    prepare: Callable[[Path], object]
    play: Callable[[Path], Iterator[Step]]
    wanted: Sequence[Reading]
    now: datetime


#: Two batches: parts to mend, new parts, a clock set back, a reading delivered twice, a row that is none.
_THERE = [reading(-_DAY_S), reading(30 - _DAY_S), reading(0), reading(30)]
_FIRST = [reading(60), reading(90, calculations=150), reading(45), reading(60, 7), reading(-2 * _DAY_S)]
_SECOND = [reading(30 - 2 * _DAY_S), reading(120, letters="V3.89")]


def _parts_to_mend(data: Path) -> None:
    """A byte of one part's header is spoiled, and the other part ends in half a line."""
    open_shards(data).append(_THERE)
    header, tail = (data / "shards" / f"2026-01-0{day}.csv" for day in (4, 5))
    header.write_bytes(b"X" + header.read_bytes()[1:])
    tail.write_bytes(tail.read_bytes() + b"2026-01-05T11:01:00.000Z,2026")


def _batches(data: Path) -> Iterator[Step]:
    quarantine = Quarantine(data / "quarantine")
    shards = Shards(data / "shards", Catalog(data / "shards"), quarantine)
    with closing(Queue(data / "queue" / "queue.db")) as queue:
        store = Store(queue, lambda _start, _end: iter(()), zone=BERLIN, clock=TurnedClock(NOON))
        write = Write(queue, shards, quarantine, store.catch_up)
        yield lambda: _added(store, _FIRST)
        queue.put([_THERE[-1].encode(), b"no reading"])
        yield lambda: _written(write, queue, store)
        yield lambda: _added(store, _SECOND)
        yield lambda: _written(write, queue, store)


def _added(store: Store, readings: Sequence[Reading]) -> bool:
    for each in readings:
        store.add(from_ms(each.time_ms), each.answer)
    return True


def _written(write: Write, queue: Queue, store: Store) -> bool:
    return write.step(0) > 0 and not store.waiting and not queue.depth()


#: Daily and weekly files of three days, one of them made before and now to be made anew of parts that overlap.
_ON_TIME = [reading(_DAY_S * day + at_s) for day in (-1, 0, 1) for at_s in (0, 30, 60)]
_LATE = [reading(45), reading(50, calculations=150)]


def _days_with_late_readings(data: Path) -> None:
    open_shards(data).append(_ON_TIME)
    make_all(make_rollup(data, now=NOW))
    open_shards(data).append(_LATE)


def _rollups(data: Path) -> Iterator[Step]:
    rollup = make_rollup(data, now=_LATER)
    yield lambda: _rolled(rollup)


def _rolled(rollup: Rollup) -> bool:
    return rollup.step(0) == IDLE_S and not rollup.due(_LATER)


#: Three days to be deleted with their files, and of the rest the older ones compressed.
_OLD = [reading(_DAY_S * day) for day in (-40, -39, -38)]
_KEPT = [reading(_DAY_S * day + at_s) for day in (-2, -1, 0, 1) for at_s in (0, 30)]


def _old_days(data: Path) -> None:
    open_shards(data).append([*_OLD, *_KEPT])
    make_all(make_rollup(data, now=_LATER, retention_days=0))


def _retention(data: Path) -> Iterator[Step]:
    catalog = Catalog(data / "shards")
    retain = Retain(
        data / "shards",
        {kind: data / kind for kind in ("daily", "weekly")},
        csv_retention_days=20,
        shard_retention_days=30,
        compress_after_days=1,
        zone=BERLIN,
        clock=TurnedClock(_LATER),
        closed=Shards(data / "shards", catalog, Quarantine(data / "quarantine")).closed,
        renew=catalog.renew,
    )
    yield lambda: _retained(retain)


def _retained(retain: Retain) -> bool:
    retain.step()
    return True


SCENES = {
    "batches": Scene(_parts_to_mend, _batches, [*_THERE, *_FIRST, *_SECOND], datetime(2026, 1, 5, 8, tzinfo=UTC)),
    "rollups": Scene(_days_with_late_readings, _rollups, [*_ON_TIME, *_LATE], _LATER),
    "retention": Scene(_old_days, _retention, _KEPT, _LATER),
}
