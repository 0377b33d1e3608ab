"""Daily and weekly files: the weekly against `cat`, overlapping parts merged, the look at what is due, compressing.

The days are full from `CSV_TIME` to `CSV_TIME`, so a weekly holds every row of the eight shards that it is made from,
and `cat` of those shards, with their seven headers more, copies the same bytes but for one in 300.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TypeVar

from pipeline import checkpoint
from pipeline.catalog import Catalog
from pipeline.compress import compress
from pipeline.part import list_parts
from pipeline.reading import Reading
from pipeline.shard import Shards
from pipeline.span import find
from stages.retain import Retain
from tests.bench import days
from tests.bench.child import in_child
from tests.bench.figures import Figure, at_most
from tests.bench.machine import memory_mb
from tests.parts import TurnedClock
from tests.rollups import make_all, make_rollup

T = TypeVar("T")

#: The windows end on this day at 07:00, seven days after the first reading.
_LAST_DAY = "2026-01-12"
_DAYS = 7
#: Days with files that a look finds, and readings a day there: a look reads a few lines, however many there are.
_LOOK_DAYS, _LOOK_A_DAY = 40, 48
#: Default settings.
_RETENTION_DAYS, _COMPRESS_DAYS = 30, 8
#: Seconds between two looks.
_LOOK_S = 60
#: How often the weekly file and `cat` are measured, in turn.
_ROUNDS = 7


def measure(folder: Path, *, short: bool) -> list[Figure]:
    a_day = 48 if short else days.A_DAY
    plain, merged = folder / "plain", folder / "merged"
    days.write(str(plain), _week(a_day))
    days.write(str(merged), _overlapping(a_day))
    return [
        *_against_cat(plain, 1 if short else _ROUNDS),
        *_merging(merged, plain, _DAYS * a_day),
    ]


def measure_upkeep(folder: Path, *, short: bool) -> list[Figure]:
    """What is done every minute, and once a day beside the files."""
    plain = folder / "plain"
    days.write(str(plain), _week(48 if short else days.A_DAY))
    in_child(build, str(plain), "weekly")
    return [
        *_looking(folder / "looks", 6 if short else _LOOK_DAYS, 2 if short else 60),
        *_compressing(plain),
    ]


def _week(a_day: int) -> Iterator[Reading]:
    """Seven days from 07:00 to 07:00."""
    return days.readings(_at_seven(a_day), _DAYS * a_day, a_day)


def _overlapping(a_day: int) -> Iterator[Reading]:
    """The same readings, first every other one of a local day, then those between: they need a second part."""
    first, end = _at_seven(a_day), _at_seven(a_day) + _DAYS * a_day
    for day in range(_DAYS + 1):
        begin, until = max(day * a_day, first), min((day + 1) * a_day, end)
        of_day = list(days.readings(begin, until - begin, a_day))
        yield from chain(of_day[::2], of_day[1::2])


def _at_seven(a_day: int) -> int:
    return a_day * 7 // 24


def _against_cat(folder: Path, rounds: int) -> list[Figure]:
    """One after the other, in turn, each anew."""
    shards = list(list_parts(folder / "shards").values())
    weekly, cat, daily = [], [], []
    for _ in range(rounds):
        cat.append(_cat(shards, folder / "cat.csv"))
        weekly.append(in_child(build, str(folder), "weekly"))
        daily.append(in_child(build, str(folder), "daily"))
    weekly_s, cat_s = median(made["wall_s"] for made in weekly), median(cat)
    return [
        Figure("weekly of seven days", weekly_s, "s"),
        Figure("cat of the same bytes + fsync", cat_s, "s"),
        Figure("weekly against cat + fsync", weekly_s / cat_s, "times", at_most(1.5)),
        Figure("weekly, CPU", median(made["cpu_s"] for made in weekly), "s"),
        Figure("weekly, size", weekly[0]["bytes"] / 1e6, "MB"),
        Figure("weekly, memory at its peak", max(made["peak_mb"] for made in weekly), "MB", at_most(60)),
        Figure("daily", median(made["wall_s"] for made in daily), "s"),
        Figure("daily, memory at its peak", max(made["peak_mb"] for made in daily), "MB", at_most(60)),
    ]


def _cat(paths: list[Path], target: Path) -> float:
    """Seconds that `cat` into a new file and its fsync take."""
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    with target.open("wb") as file:
        subprocess.run(["cat", *paths], stdout=file, check=True)
        os.fsync(file)
    return time.perf_counter() - began


def build(folder: str, kind: str) -> dict[str, float]:
    """Build the file of a kind anew, as the service does: seconds of wall and CPU, bytes, peak of the memory."""
    rollup = make_rollup(Path(folder))
    one = rollup.window(date.fromisoformat(_LAST_DAY), kind)
    target = Path(folder) / kind / one.name
    target.unlink(missing_ok=True)
    checkpoint.remove(target)
    record, wall_s, cpu_s = _timed(lambda: rollup.build(one))
    return {"wall_s": wall_s, "cpu_s": cpu_s, "bytes": record.length, "peak_mb": memory_mb()[1]}


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    began, cpu_began = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - began, time.process_time() - cpu_began


def _merging(folder: Path, plain: Path, rows: int) -> list[Figure]:
    weekly = in_child(build, str(folder), "weekly")
    daily = in_child(build, str(folder), "daily")
    name = f"weekly/{_LAST_DAY}_weekly.csv"
    if (folder / name).read_bytes() != (plain / name).read_bytes():
        raise RuntimeError("merged parts give another file than one part a day does")
    return [
        Figure("two overlapping parts a day, rows merged", rows / weekly["wall_s"], "rows/s"),
        Figure("merging a day, memory at its peak", daily["peak_mb"], "MB", at_most(60)),
        Figure("merging seven days, memory at its peak", weekly["peak_mb"], "MB", at_most(60)),
    ]


def _looking(folder: Path, n_days: int, count: int) -> list[Figure]:
    days.write(str(folder), days.readings(0, n_days * _LOOK_A_DAY + _at_seven(_LOOK_A_DAY), _LOOK_A_DAY))
    made = in_child(keep, str(folder), n_days)
    looked = in_child(look, str(folder), n_days, count)
    return [
        Figure("files that a look finds, daily and weekly", made, "files"),
        Figure("first look after a start, small days, CPU", looked["first_s"] * 1000, "ms"),
        Figure("a look at what is due, CPU", looked["each_s"] * 1000, "ms"),
        Figure("a look a minute, of one core", looked["each_s"] / _LOOK_S * 100, "%", at_most(0.5)),
    ]


def keep(folder: str, n_days: int) -> int:
    """Make, compress and delete all that is due after so many days; gives how many files there are then."""
    clock = TurnedClock(_morning(n_days))
    make_all(make_rollup(Path(folder), retention_days=_RETENTION_DAYS, clock=clock))
    _retain(Path(folder), clock).step()
    return sum(1 for kind in ("daily", "weekly") for _ in (Path(folder) / kind).glob("*.checkpoint"))


def look(folder: str, n_days: int, count: int) -> dict[str, float]:
    """CPU seconds of a service's looks, two readings between each: the first, and one of the others."""
    clock = TurnedClock(_morning(n_days))
    rollup, retain = (
        make_rollup(Path(folder), retention_days=_RETENTION_DAYS, clock=clock),
        _retain(Path(folder), clock),
    )

    def both() -> None:
        rollup.step(0)
        retain.step()

    _, _, first_s = _timed(both)
    shards = days.shards_in(folder)
    each = []
    for n in range(count):
        at = n_days * days.A_DAY + _at_seven(days.A_DAY) + 120 + 2 * n
        shards.append(list(days.readings(at, 2, days.A_DAY)))
        clock.turn(_LOOK_S)
        each.append(_timed(both)[2])
    if rollup.made:
        raise RuntimeError("a look found something to make")
    return {"first_s": first_s, "each_s": median(each)}


def _morning(n_days: int) -> datetime:
    """An hour after the windows of the last day have ended."""
    return days.MIDNIGHT + timedelta(days=n_days, hours=8)


def _retain(folder: Path, clock: TurnedClock) -> Retain:
    shards: Shards = days.shards_in(str(folder))
    return Retain(
        folder / "shards",
        {kind: folder / kind for kind in ("daily", "weekly")},
        csv_retention_days=_RETENTION_DAYS,
        shard_retention_days=365,
        compress_after_days=_COMPRESS_DAYS,
        zone=days.ZONE,
        clock=clock,
        closed=shards.closed,
        renew=Catalog(folder / "shards").renew,
        needed_from=make_rollup(folder, retention_days=_RETENTION_DAYS, clock=clock).needed_from,
    )


def _compressing(folder: Path) -> list[Figure]:
    shard = list(list_parts(folder / "shards").values())[1]
    weekly = folder / "weekly" / f"{_LAST_DAY}_weekly.csv"
    return [
        Figure("compressing a day's shard, CPU", in_child(compressed, str(shard)), "s"),
        Figure("finding a window in a compressed shard, CPU", in_child(found, str(shard.parent)), "s"),
        Figure("compressing a weekly, CPU", in_child(compressed, str(weekly)), "s"),
    ]


def compressed(path: str) -> float:
    """CPU seconds that compressing a file takes."""
    return _timed(lambda: compress(Path(path)))[2]


def found(shards: str) -> float:
    """CPU seconds of the search in the compressed part of a folder."""
    part, path = next((part, path) for part, path in list_parts(Path(shards)).items() if path.suffix == ".gz")
    return _timed(lambda: find(part, path, 0, 1 << 62))[2]
