"""A rollup stage on a folder of shards, and what its files should hold."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.shelf import Shelf
from pipeline.window import Window
from stages.rollup import Rollup
from tests.parts import BERLIN, TurnedClock, stored

#: A moment after the windows that end on 6 January.
NOW = datetime(2026, 1, 6, 8, tzinfo=UTC)
SEVEN = time(7)


def make_rollup(
    folder: Path,
    *,
    now: datetime = NOW,
    retention_days: int = 30,
    reserve: int = 0,
    clock: TurnedClock | None = None,
    csv_time: time = SEVEN,
    zone: ZoneInfo = BERLIN,
) -> Rollup:
    """The stage as a new process finds the folder."""
    return Rollup(
        Shelf(folder / "shards", folder / "quarantine"),
        {kind: folder / kind for kind in ("daily", "weekly")},
        csv_time=csv_time,
        zone=zone,
        retention_days=retention_days,
        clock=clock or TurnedClock(now),
        lock=nullcontext,
        reserve=reserve,
    )


def make_all(rollup: Rollup) -> None:
    """Steps until nothing is due."""
    while rollup.step(0) == 0:
        pass


def published(folder: Path) -> dict[str, bytes]:
    """Every daily and weekly file by name."""
    return {p.name: p.read_bytes() for kind in ("daily", "weekly") for p in sorted((folder / kind).glob("*.csv"))}


def times_in(folder: Path, one: Window) -> list[int]:
    """Times of the stored readings that lie in a window."""
    return [reading.time_ms for reading in stored(folder) if one.start_ms <= reading.time_ms < one.end_ms]


def day(text: str) -> date:
    return date.fromisoformat(text)
