"""A backlog through the writer: how fast, at what cost, and whether more of it takes more memory."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import days
from tests.bench.child import in_child
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.machine import memory_mb

#: MB that six days more may add to the memory, which fill 72 MB of shards: the rows' times of two more open days.
_FLAT_MB = 5


def measure(folder: Path, *, short: bool) -> list[Figure]:
    a_day = 60 if short else days.A_DAY
    half = a_day // 2
    day = _drained(folder / "day", 0, a_day, a_day)
    _drained(folder / "halves", 0, half, a_day)
    second_half = _drained(folder / "halves", half, half, a_day)
    week = _drained(folder / "week", 0, 7 * a_day, a_day)
    return [
        Figure("a day's readings", _rate(day), "readings/s", at_least(500)),
        Figure("a day's readings, CPU", day["cpu_s"] / day["stored"] * 1000, "ms/reading"),
        Figure("half a day's, after a restart", _rate(second_half), "readings/s", at_least(500)),
        Figure("seven days' readings", _rate(week), "readings/s", at_least(500)),
        Figure("memory before, all imported", day["before_mb"], "MB"),
        Figure("memory that a day adds at its peak", day["added_mb"], "MB"),
        Figure("memory that six days more add", week["added_mb"] - day["added_mb"], "MB", at_most(_FLAT_MB)),
    ]


def drain(folder: str) -> dict[str, float]:
    """Drain the queue of a folder: readings, seconds of wall and CPU, memory before it and what its peak adds."""
    before_mb, _ = memory_mb()
    began, cpu_began = time.perf_counter(), time.process_time()
    stored = days.drain(folder)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    added_mb = memory_mb()[1] - before_mb
    return {"stored": stored, "wall_s": wall_s, "cpu_s": cpu_s, "before_mb": before_mb, "added_mb": added_mb}


def _drained(folder: Path, first: int, count: int, a_day: int) -> dict[str, float]:
    days.fill(str(folder), first, count, a_day)
    return in_child(drain, str(folder))


def _rate(drained: dict[str, float]) -> float:
    return drained["stored"] / drained["wall_s"]
