"""The archive: what a day costs to build, what a year takes on the disk, and how fast it answers, beside CSV readers.

The days whose cost is measured are built from their shards. For the rest of the year the columns are those of the days
that the year is made from, moved in time: what is stored, and how, is the archive's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

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
from tests.bench.year import Year

Reader = Callable[[date], tuple[Columns, Sequence[str]]]
#: What came of a question: seconds, peak of the memory, and of each sensor how many values, the least, the greatest.
Answer = dict[str, Any]

#: Flow, return, hot gas, outdoor, hot water and heat-source inlet: temperatures that seldom stay from poll to poll.
SIX = tuple(sensor("calculations", place).name for place in (10, 11, 14, 15, 17, 19))
#: Values that a page shows of a year.
_POINTS = 2000
#: Days that DuckDB and pandas read: a year takes twelve times as long.
_READ_DAYS = 30
#: How often each question is put once it was asked before, and in how many new processes.
_WARM, _PROCESSES = 15, 5


def measure(folder: Path, *, short: bool) -> list[Figure]:
    year = Year(folder, 4, 48, plain=2) if short else Year(folder, 365)
    year.make()
    built = _building(year)
    fill(year)
    year.begin_next()
    size = sum(path.stat().st_size for path in (folder / "archive").iterdir())
    return [
        *built,
        Figure("a year on the disk", size / 1e6, "MB", at_most(60)),
        *_asking(year, 1 if short else _PROCESSES, 1 if short else _READ_DAYS),
    ]


def _building(year: Year) -> list[Figure]:
    """The newest days, as the service takes them in, and some that are compressed by now."""
    newest, older = year.days()[-year.plain :], year.days()[:2]
    built = in_child(build, str(year.folder), json.dumps([str(day) for day in (*newest, *older)]))
    cpu_s, peaks_mb = built["cpu_s"], built["peaks_mb"]
    return [
        Figure("a day built, CPU", median(cpu_s[: year.plain]), "s", at_most(1.5)),
        Figure("a day built from a compressed shard, CPU", median(cpu_s[year.plain :]), "s"),
        Figure("a day built, memory at its peak", peaks_mb[0], "MB", at_most(100)),
        Figure("eight days built in turn, memory at its peak", peaks_mb[year.plain - 1], "MB", at_most(100)),
    ]


def build(folder: str, listed: str) -> dict[str, list[float]]:
    """Build days from their shards: CPU seconds of each, and the peak of the memory up to its end."""
    archive = _archive(Path(folder), "built")
    cpu_s, peaks_mb = [], []
    for day in json.loads(listed):
        began = time.process_time()
        archive.add(date.fromisoformat(day))
        cpu_s.append(time.process_time() - began)
        peaks_mb.append(memory_mb()[1])
    return {"cpu_s": cpu_s, "peaks_mb": peaks_mb}


def fill(year: Year) -> None:
    """Take all days into the archive, newest first."""
    known = year.columns()
    archive = _archive(year.folder, "archive", lambda day: known[day])
    for day in archive.due():
        archive.add(day)


def _asking(year: Year, processes: int, read_days: int) -> list[Figure]:
    """What a page asks for, a year in as many values as it shows and a day in full; what CSV readers can do of it."""
    windows = [(0, year.length, _POINTS), (1, year.length, _POINTS), (0, 1, 0), (0, read_days, _POINTS // 12)]
    whole, today, day, some = _asked(year, windows, processes)
    return [
        Figure("six sensors over a year, warm", whole["warm_s"], "s", at_most(0.3)),
        Figure("six sensors over a year, cold", whole["cold_s"], "s", at_most(1)),
        Figure("six sensors over a year, half a day of it in no archive yet", today["warm_s"], "s"),
        Figure("six sensors over a day, every value, warm", day["warm_s"] * 1000, "ms", at_most(50)),
        Figure("six sensors over a day, every value, cold", day["cold_s"] * 1000, "ms"),
        Figure("asking, memory at its peak", some["peak_mb"], "MB"),
        Figure(f"six sensors over {_days(read_days)}", some["warm_s"] * 1000, "ms"),
        *_beside(year, "DuckDB", yardsticks.with_duckdb, {read_days: some, 1: day}),
        *_beside(year, "pandas", yardsticks.with_pandas, {read_days: some, 1: day}),
    ]


def _asked(year: Year, windows: Sequence[tuple[int, int, int]], processes: int) -> list[Answer]:
    """Six sensors of windows, each so many days after so many others, in so many points: seconds are medians."""
    moments = [(year.first + timedelta(days=skipped), count, points) for skipped, count, points in windows]
    questions = [(str(start), str(start + timedelta(days=count)), points) for start, count, points in moments]
    told = [in_child(ask, str(year.folder), json.dumps(questions)) for _ in range(processes)]
    return [
        same[0] | {key: median(each[key] for each in same) for key in ("cold_s", "warm_s")}
        for same in zip(*told, strict=True)
    ]


def ask(folder: str, questions: str) -> list[Answer]:
    """Put each question to an archive that the kernel has to read from the disk, and then again and again."""
    return [_answer(Path(folder), *question) for question in json.loads(questions)]


def _answer(folder: Path, start: str, end: str, points: int) -> Answer:
    for path in (folder / "archive").iterdir():
        forget(path)
    archive = _archive(folder, "archive")
    cold_s, found = _timed(archive, start, end, points)
    warm_s = median(_timed(archive, start, end, points)[0] for _ in range(_WARM))
    came = {each.sensor.name: _outcome(each) for each in found}
    length_ms = getattr(found[0], "length_ms", 0)
    return {"cold_s": cold_s, "warm_s": warm_s, "peak_mb": memory_mb()[1], "came": came, "length_ms": length_ms}


def _timed(archive: Archive, start: str, end: str, points: int) -> tuple[float, Sequence[Series | ReducedSeries]]:
    began = time.perf_counter()
    found = archive.query(SIX, datetime.fromisoformat(start), datetime.fromisoformat(end), points or None)
    return time.perf_counter() - began, found


def _outcome(series: Series | ReducedSeries) -> list[float]:
    lows, highs = (series.values, series.values) if isinstance(series, Series) else (series.mins, series.maxs)
    return [len(series.times_ms), float(lows.min()), float(highs.max())]


def _beside(
    year: Year, tool: str, read: Callable[[str, str], list[yardsticks.Told]], ours: dict[int, Answer]
) -> Iterator[Figure]:
    """Questions about so many days each, put to their shards."""
    paths = [str(path) for path in list_parts(year.shards).values()]
    questions = [[paths[:count], answer["length_ms"]] for count, answer in ours.items()]
    told = in_child(read, json.dumps(questions), json.dumps(SIX))
    for (count, answer), theirs in zip(ours.items(), told, strict=True):
        if theirs["came"] != answer["came"]:
            raise RuntimeError(f"{tool} finds {theirs['came']} where the archive has {answer['came']}")
        yield Figure(f"six sensors over {_days(count)} from the shards, {tool}", theirs["seconds"], "s")
    yield Figure(f"{tool}, memory at its peak", told[-1]["peak_mb"], "MB")


def _days(count: int) -> str:
    return f"{count} days" if count > 1 else "a day"


def _archive(folder: Path, name: str, read: Reader | None = None) -> Archive:
    """The archive of a name as a new process finds it."""
    shards = folder / "shards"
    (folder / name).mkdir(exist_ok=True)
    found = read or partial(day_columns.read, shards, Catalog(shards))
    room = partial(day_columns.room, shards, Catalog(shards))
    return Archive(folder / name / "archive.db", Shelf(shards, folder / "quarantine"), found, room)
