"""The archive over more than two years of days, of which half a year is kept: its size, and what it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.archive import Archive
from pipeline.archive_file import ArchiveFile
from pipeline.clock import to_ms
from pipeline.columns import Column, Columns
from pipeline.sensors import sensor
from pipeline.series import Series
from pipeline.shelf import Shelf

FIRST = date(2024, 1, 1)
DAYS, KEPT = 800, 180
#: Days that go together.
AT_ONCE = 8
SENSORS = [sensor("calculations", place) for place in range(10, 18)]
#: Rows of a day, every hour.
ROWS = 24
#: Sensors that change; the others have one value a day.
CHANGING = 2
#: Where the values of each sensor end among all of a day.
ENDS = np.cumsum([ROWS] * CHANGING + [1] * (len(SENSORS) - CHANGING))[:-1]


class Unsynced(sqlite3.Connection):
    """Does not wait for the disk, which is what two years of transactions would do most of the time."""

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(statement.replace("synchronous=NORMAL", "synchronous=OFF"), *parameters)


def columns(day: date) -> Columns:
    """A day that no other is like."""
    n = day.toordinal()
    chance = np.random.default_rng(n)
    raws = np.split(chance.integers(-300, 600, CHANGING * ROWS + len(SENSORS) - CHANGING, np.int32), ENDS)
    midnight = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
    constant = Column(np.zeros(1, np.int32))
    times = midnight + np.arange(ROWS, dtype=np.int64) * 3_600_000
    return Columns(times, constant, constant, {s: Column(each) for s, each in zip(SENSORS, raws, strict=True)})


def no_shards(day: date) -> tuple[Columns, Sequence[str]]:
    raise AssertionError(f"{day} stands in the archive")


@pytest.mark.no_cover  # hundreds of days
def test_file_grows_no_more_once_days_go_and_has_those_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Unsynced))
    file = ArchiveFile(tmp_path / "archive.db")
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    sizes = []
    for n, day in enumerate(days):
        if n >= KEPT and n % AT_ONCE == (DAYS - 1) % AT_ONCE:
            file.drop(days[max(0, n - KEPT - AT_ONCE + 1) : n - KEPT + 1])
        file.add(day, "[]", columns(day), ["schema"])
        sizes.append(sum(each.stat().st_size for each in tmp_path.iterdir() if each.is_file()))

    # A month that begins needs room before the one that ends a year ago is gone.
    full = max(sizes[: KEPT + 31 + AT_ONCE])
    assert max(sizes) <= full * 1.05
    assert len(list(tmp_path.iterdir())) <= 3
    kept = days[-KEPT:]
    archive = Archive(file.path, Shelf(tmp_path / "shards", tmp_path / "quarantine"), no_shards, lambda day: ())
    assert archive.days() == kept
    start = datetime(FIRST.year, 1, 1, tzinfo=UTC)
    names = [SENSORS[0].name, SENSORS[-1].name]
    for found in archive.query(names, start, start + timedelta(days=DAYS)):
        assert isinstance(found, Series)
        made = {day: columns(day) for day in kept}
        expected = np.concatenate([each.columns[found.sensor].spread(ROWS) for each in made.values()])
        assert np.array_equal(found.times_ms, np.concatenate([each.times_ms for each in made.values()]))
        assert np.array_equal(found.values, expected / found.sensor.divisor)
