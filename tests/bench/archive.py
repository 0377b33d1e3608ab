"""The archive: what a day costs to build, what a year takes on the disk, and how fast it answers, beside CSV readers.

The days whose cost is measured are built from their shards. For the rest of the year the columns are those of the days
that the year is made from, moved in time: what is stored, and how, is the archive's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import day_columns
from pipeline.archive import Archive
from pipeline.catalog import Catalog
from pipeline.columns import Columns
from pipeline.part import list_parts
from pipeline.sensors import sensor
from pipeline.series import ReducedSeries, Series
from pipeline.shelf import Shelf
from tests.bench import yardsticks
from tests.bench.child import in_child
from tests.bench.figures import Figure, at_most
from tests.bench.machine import forget, memory_mb
from tests.bench.year import PLAIN_DAYS, Year

Reader = Callable[[date], tuple[Columns, Sequence[str]]]
Reals = NDArray[np.float64]
#: What came of a question: seconds, peak of the memory, and of each sensor how many values, the least, the greatest.
Answer = dict[str, Any]

_DAY = timedelta(days=1)
#: Flow, return, hot gas, outdoor, hot water and heat-source inlet: temperatures that seldom stay from poll to poll.
_SIX = tuple(sensor("calculations", place).name for place in (10, 11, 14, 15, 17, 19))
#: Values that a page shows of a year.
_POINTS = 2000
#: Days that DuckDB and pandas read: a year takes them minutes.
_READ_DAYS = 30
#: How often each question is put to a warm archive, and in how many new processes to a cold one.
_WARM, _COLD = 15, 5


def measure(folder: Path, *, short: bool) -> list[Figure]:
    year = Year(folder, 12, 48) if short else Year(folder, 365)
    year.make()
    built = _building(year)
    in_child(fill, str(folder), year.length, year.a_day)
    return [
        *built,
        Figure("a year on the disk", _size(folder / "archive") / 1e6, "MB", at_most(60)),
        *_asking(year, 1 if short else _COLD),
        *_beside(year, 2 if short else _READ_DAYS),
    ]


def _building(year: Year) -> list[Figure]:
    """The newest days, as the service takes them in, and some that are compressed by now."""
    newest = in_child(build, str(year.folder), "newest", _listed(year.days()[-PLAIN_DAYS:]))
    one = in_child(build, str(year.folder), "one", _listed(year.days()[-1:]))
    older = in_child(build, str(year.folder), "older", _listed(year.days()[:3]))
    return [
        Figure("a day built, CPU", median(newest["cpu_s"]), "s", at_most(1.5)),
        Figure("a day built from a compressed shard, CPU", median(older["cpu_s"]), "s"),
        Figure("a day built, memory at its peak", one["peak_mb"], "MB", at_most(100)),
        Figure("eight days built, memory at its peak", newest["peak_mb"], "MB", at_most(100)),
    ]


def build(folder: str, name: str, listed: str) -> dict[str, Any]:
    """Build days from their shards into an archive of a name: CPU seconds of each, and the peak of the memory."""
    archive = _archive(Path(folder), name)
    took = []
    for day in json.loads(listed):
        began = time.process_time()
        archive.add(date.fromisoformat(day))
        took.append(time.process_time() - began)
    return {"cpu_s": took, "peak_mb": memory_mb()[1]}


def fill(folder: str, length: int, a_day: int) -> int:
    """Take all days of a year into the archive, newest first; gives how many."""
    known = Year(Path(folder), length, a_day).columns()
    archive = _archive(Path(folder), "archive", lambda day: known[day])
    due = archive.due()
    for day in due:
        archive.add(day)
    return len(due)


def _asking(year: Year, processes: int) -> list[Figure]:
    """What a page asks for: a year in as many values as it shows, a day in full."""
    whole, day = (
        (year.first, year.end),
        (year.first + year.length // 2 * _DAY, year.first + (year.length // 2 + 1) * _DAY),
    )
    warm, cold = _asked(year, whole, _POINTS, processes)
    warm_day, cold_day = _asked(year, day, 0, processes)
    year.begin_next()
    with_today, _ = _asked(year, (year.first + _DAY, year.end + _DAY), _POINTS, 1)
    return [
        Figure("six sensors over a year, warm", warm["seconds"], "s", at_most(0.3)),
        Figure("six sensors over a year, cold", cold["seconds"], "s", at_most(1)),
        Figure("six sensors over a year, memory at its peak", warm["peak_mb"], "MB"),
        Figure("six sensors over a year, half a day of it in no archive yet", with_today["seconds"], "s"),
        Figure("six sensors over a day, every value, warm", warm_day["seconds"] * 1000, "ms", at_most(50)),
        Figure("six sensors over a day, every value, cold", cold_day["seconds"] * 1000, "ms"),
    ]


def _asked(year: Year, window: tuple[datetime, datetime], points: int, processes: int) -> tuple[Answer, Answer]:
    """Six sensors, warm and cold: what the archive told, its seconds the median."""
    arguments = (str(year.folder), window[0].isoformat(), window[1].isoformat(), points)
    colds = [in_child(ask_cold, *arguments) for _ in range(processes)]
    warm = in_child(ask_warm, *arguments)
    return warm, colds[0] | {"seconds": median(cold["seconds"] for cold in colds)}


def ask_cold(folder: str, start: str, end: str, points: int) -> Answer:
    """Six sensors from an archive that the kernel has to read from the disk."""
    for path in (Path(folder) / "archive").iterdir():
        forget(path)
    return _ask(_archive(Path(folder), "archive"), start, end, points)


def ask_warm(folder: str, start: str, end: str, points: int) -> Answer:
    """The same once it was asked before; its seconds the median."""
    archive = _archive(Path(folder), "archive")
    first, *told = [_ask(archive, start, end, points) for _ in range(1 + _WARM)]
    return first | {"seconds": median(each["seconds"] for each in told), "peak_mb": memory_mb()[1]}


def _ask(archive: Archive, start: str, end: str, points: int) -> Answer:
    began = time.perf_counter()
    found = archive.query(_SIX, datetime.fromisoformat(start), datetime.fromisoformat(end), points or None)
    seconds = time.perf_counter() - began
    came = {
        each.sensor.name: [len(each.times_ms), float(_least(each).min()), float(_most(each).max())] for each in found
    }
    return {"seconds": seconds, "came": came, "length_ms": getattr(found[0], "length_ms", 0)}


def _least(series: Series | ReducedSeries) -> Reals:
    return series.values if isinstance(series, Series) else series.mins


def _most(series: Series | ReducedSeries) -> Reals:
    return series.values if isinstance(series, Series) else series.maxs


def _beside(year: Year, length: int) -> list[Figure]:
    """The same questions put to the shards, of fewer days."""
    figures = []
    for what, count, points in ((f"{length} days", length, _POINTS * length // year.length), ("a day", 1, 0)):
        window = year.first, year.first + count * _DAY
        ours = in_child(ask_warm, str(year.folder), *(moment.isoformat() for moment in window), points)
        paths = [str(path) for part, path in list_parts(year.shards).items() if part.day in year.days()[:count]]
        figures.append(Figure(f"{what} from the archive", ours["seconds"], "s"))
        for tool, read in (("DuckDB", yardsticks.with_duckdb), ("pandas", yardsticks.with_pandas)):
            theirs = in_child(read, json.dumps(paths), json.dumps(_SIX), ours["length_ms"])
            if theirs["came"] != ours["came"]:
                raise RuntimeError(f"{tool} finds {theirs['came']} where the archive has {ours['came']}")
            figures += [
                Figure(f"{what} from the shards, {tool}", theirs["seconds"], "s"),
                Figure(f"{what} from the shards, {tool}, memory at its peak", theirs["peak_mb"], "MB"),
            ]
    return figures


def _archive(folder: Path, name: str, read: Reader | None = None) -> Archive:
    """The archive of a name as a new process finds it."""
    shards = folder / "shards"
    (folder / name).mkdir(exist_ok=True)
    found = read or partial(day_columns.read, shards, Catalog(shards))
    room = partial(day_columns.room, shards, Catalog(shards))
    return Archive(folder / name / "archive.db", Shelf(shards, folder / "quarantine"), found, room)


def _listed(some: Sequence[date]) -> str:
    return json.dumps([day.isoformat() for day in some])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
