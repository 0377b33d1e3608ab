"""Small parts that many tests share: readings, folders of shards, a clock that a test turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import readout
from pipeline.catalog import Catalog
from pipeline.clock import ALWAYS, from_ms, local_label, to_ms
from pipeline.quarantine import Quarantine
from pipeline.reading import Answer, Reading
from pipeline.shard import Shards

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 1, 5, 11, tzinfo=UTC)


def answer(value: int = 0, *, calculations: int = 140, letters: str = "V3.88") -> Answer:
    """A small answer with a firmware, a pump and one value of its own."""
    raws = [0] * calculations
    raws[10], raws[78] = value, 58
    raws[81 : 81 + len(letters)] = map(ord, letters)
    return Answer((value, 7), tuple(raws), (1, 0))


def reading(
    at_s: float = 0,
    value: int | None = None,
    *,
    zone: ZoneInfo = BERLIN,
    calculations: int = 140,
    letters: str = "V3.88",
) -> Reading:
    """A reading so many seconds after noon in Berlin, by default with a value that no other moment has."""
    moment = NOON + timedelta(seconds=at_s)
    raw = round(at_s * 1000) % 1_000_000 if value is None else value
    return Reading(to_ms(moment), *local_label(moment, zone), answer(raw, calculations=calculations, letters=letters))


def open_shards(folder: Path) -> Shards:
    """The folder's writer, as a new process finds it."""
    shards = Shards(folder / "shards", Catalog(folder / "shards"), Quarantine(folder / "quarantine"))
    shards.check()
    return shards


def stored(folder: Path) -> list[Reading]:
    """Every reading that a fresh look at the folder's shards finds."""
    return list(each_stored(folder))


def each_stored(folder: Path, start_ms: int = ALWAYS[0], end_ms: int = ALWAYS[1]) -> Iterator[Reading]:
    """The same one by one, of [start, end) ms: a month of readings does not fit into memory."""
    return readout.read(folder / "shards", Catalog(folder / "shards"), start_ms, end_ms)


class TurnedClock:
    """A clock that stands until a test turns it; `step` moves the wall clock alone."""

    def __init__(self, start: datetime = NOON) -> None:
        self._wall_ms = to_ms(start)
        self._monotonic = 1000.0

    def utc(self) -> datetime:
        return from_ms(self._wall_ms)

    def monotonic(self) -> float:
        return self._monotonic

    def turn(self, seconds: float) -> None:
        self._monotonic += seconds
        self.step(seconds)

    def step(self, seconds: float) -> None:
        self._wall_ms += round(seconds * 1000)
