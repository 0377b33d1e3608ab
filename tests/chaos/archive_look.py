"""An archive after an attack: what stands in it is what the shards hold, and a service that runs on adds the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.archive import Archive
from pipeline.columns import Column, Columns, merged
from pipeline.series import ReducedSeries, Series
from tests.archives import NAME, make_archive, make_archiving
from tests.chaos.tally import BrokenError
from tests.parts import BERLIN

#: A file that is never there.
_NONE = "none.db"
#: Points of the reduced series that are compared.
_POINTS = 40
#: So many of the sensors are asked for by name.
_ASKED = 4
#: Steps after which a stage that always finds another day due is spinning.
_MOST_STEPS = 1000

#: Rows column by column, those without a value left out; what stands for it can be compared.
_Comparable = dict[str, Any]


def check_archive(folder: Path, now: datetime, *, rotten: bool = False) -> None:
    """Hold the archive of a folder on whose queue nothing waits against its shards: as it was left, and run on.

    Where no service made one there is none to look at. Where the disk was `rotten`, a page in which no value stands may
    be so still.

    Raises:
        BrokenError: a value differs, SQLite finds the file unsound, or a day that is over is due at the end.
    """
    if not (folder / "archive" / NAME).exists():
        return
    archive = make_archive(folder)
    # What only the archive still has cannot be compared.
    archive.drop(date.max)
    shards = FromShards(folder)
    check_values(archive, shards, archive.days())
    run_on(archive, now)
    check_values(archive, shards, archive.days())
    if not rotten:
        check_sound(folder)


class FromShards:
    """What an archive without a file gives: it reads every day from the shards. All is read and asked once."""

    def __init__(self, folder: Path) -> None:
        archive = make_archive(folder, _NONE)
        archive._read = cache(archive._read)
        self.rows = cache(partial(_rows, archive))
        self.series = cache(partial(_series, archive))


def check_values(archive: Archive, shards: FromShards, days: Sequence[date], *, asked: int = _ASKED) -> None:
    """Hold all rows of some days, and the series of some sensors, against those of the shards.

    Raises:
        BrokenError: something differs.
    """
    if not days:
        return
    start = datetime.combine(days[0], time(), BERLIN) - timedelta(days=2)
    end = datetime.combine(days[-1] + timedelta(days=1), time(), BERLIN)
    if (found := _rows(archive, start, end)) != (wanted := shards.rows(start, end)):
        wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        raise BrokenError(f"the archive differs from the shards in {len(wrong)} columns: {wrong[:5]}")
    names = sorted(wanted.keys() - {"rows"})
    names = names[:: len(names) // asked or 1]
    known = tuple(dict.fromkeys(name.partition(" ")[0] for name in names))
    for points in (None, _POINTS):
        if _series(archive, known, start, end, points) != shards.series(known, start, end, points):
            raise BrokenError(f"series of the archive differ from the shards' in {known} ({points} points)")


def run_on(archive: Archive, now: datetime) -> None:
    """Let the stage of a service archive all that is due at a moment.

    Raises:
        BrokenError: it never ends, or a day that is over is due all the same.
    """
    stage = make_archiving(archive, now)
    for _ in range(_MOST_STEPS):
        if not stage.step():
            break
    else:
        raise BrokenError(f"{_MOST_STEPS} days archived, and still more are due")
    today = now.astimezone(BERLIN).date()
    if left := [day for day in archive.due() if day < today]:
        raise BrokenError(f"days that are over are not archived: {left}")


def check_sound(folder: Path) -> None:
    """Let SQLite look at the archive's file.

    Raises:
        BrokenError: it is not sound.
    """
    path = folder / "archive" / NAME
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
    if said != [("ok",)]:
        raise BrokenError(f"{path} is not sound: {said[:5]}")


def _rows(archive: Archive, start: datetime, end: datetime) -> _Comparable:
    sensors = archive.sensors(start, end)
    with archive.look(start, end) as look:
        rows = merged(list(look.rows(sensors)))
    count = len(rows.times_ms)
    lead = (rows.times_ms, rows.offsets_s.spread(count), rows.sources.spread(count))
    found = {f"{sensor.name} {sensor.unit} {sensor.divisor}": column for sensor, column in rows.columns.items()}
    comparable = {name: _values(column, rows) for name, column in found.items() if column.mask(count).any()}
    return {"rows": [each.tobytes() for each in lead]} | comparable


def _values(column: Column, rows: Columns) -> tuple[bytes, bytes]:
    mask = column.mask(len(rows.times_ms))
    return mask.tobytes(), column.spread(len(rows.times_ms))[mask].tobytes()


def _series(archive: Archive, names: tuple[str, ...], start: datetime, end: datetime, points: int | None) -> list[Any]:
    """Every series by its meaning, with all that it has."""
    return sorted((one.sensor.meaning, _told(one)) for one in archive.query(names, start, end, points))


def _told(series: Series | ReducedSeries) -> list[list[float]]:
    told: list[np.ndarray] = [series.times_ms]
    if isinstance(series, ReducedSeries):
        told += (series.mins, series.maxs, series.means, series.counts)
    else:
        told.append(series.values)
    return [each.tolist() for each in told]
