"""Believable days of full-size readings, and the real queue and shards that they go through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.catalog import Catalog
from pipeline.clock import local_label, to_ms
from pipeline.house import House
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.shard import Shards
from pipeline.simulator import SimulatedPump
from stages.write import Write

ZONE = ZoneInfo("Europe/Berlin")
#: Readings of a day at 30 s.
A_DAY = 2880
#: A winter day: the compressor starts and stops all day long.
MIDNIGHT = datetime(2026, 1, 5, tzinfo=ZONE)
_AT_ONCE = 256


def readings(first: int, count: int, a_day: int) -> Iterator[Reading]:
    """`count` readings of the house from the `first` on, spread evenly so that a local day has `a_day` of them."""
    house = _house()
    for n in range(first, first + count):
        moment = MIDNIGHT + timedelta(days=n / a_day)
        yield Reading(to_ms(moment), *local_label(moment, ZONE), house.answer_at(moment))


@cache
def _house() -> House:
    """One for all: it works out its years since it was built only once."""
    return House()


def simulated_pump(journal: Path | None = None) -> SimulatedPump:
    """A pump to connect to from another process; its house is ready, so that answering takes no time worth naming."""
    _house().answer_at(datetime.now(UTC))
    return SimulatedPump(_house().answer_at, journal=journal)


def queue_in(folder: str) -> Queue:
    return Queue(Path(folder) / "queue" / "queue.db")


def shards_in(folder: str) -> Shards:
    shards = Path(folder) / "shards"
    return Shards(shards, Catalog(shards), Quarantine(Path(folder) / "quarantine"))


def write(folder: str, some: Iterable[Reading]) -> None:
    """Put readings into the shards of a folder, without a queue."""
    shards, ahead = shards_in(folder), iter(some)
    while batch := list(islice(ahead, _AT_ONCE)):
        shards.append(batch)


def fill(folder: str, first: int, count: int, a_day: int) -> None:
    """Put such readings on the queue of a folder."""
    encoded = (reading.encode() for reading in readings(first, count, a_day))
    queue = queue_in(folder)
    queue.path.parent.mkdir(parents=True, exist_ok=True)
    with closing(queue):
        while some := list(islice(encoded, _AT_ONCE)):
            queue.put(some)


def drain(folder: str) -> int:
    """Write all that waits in the queue of a folder to its shards, as the service does; gives how many readings."""
    quarantine = Quarantine(Path(folder) / "quarantine")
    with closing(queue_in(folder)) as queue:
        stage = Write(queue, shards_in(folder), quarantine)
        while stage.step(0) == 0:
            pass
        return stage.stored
