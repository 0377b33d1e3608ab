from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from os import SEEK_END
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipeline import archive_file, day_columns
from pipeline.archive import Archive
from pipeline.archive_file import ArchiveFile
from pipeline.catalog import Catalog
from pipeline.clock import from_ms
from pipeline.columns import Column, Columns
from pipeline.compress import compress
from pipeline.errors import ArchiveError, DamagedArchiveError, QueryError
from pipeline.part import list_parts
from pipeline.reading import Reading
from pipeline.sensors import sensor, values
from pipeline.series import ReducedSeries, Series
from tests.archives import make_archive
from tests.parts import BERLIN, NOON, open_shards, reading

#: Calculation 10 is the flow temperature, in tenths of a degree; here every reading has its own.
FLOW = "ID_WEB_Temperatur_TVL"
HOURS = timedelta(hours=1)
#: A sensor that only the longer of two kinds of answers has.
FAR = sensor("calculations", 130).name


def archive(folder: Path) -> Archive:
    """The archive as a new process finds it."""
    return make_archive(folder)


def fill(folder: Path, days: int, every_s: int = 600) -> list[Reading]:
    """Readings of so many days from noon on, in the shards."""
    readings = [reading(at_s, at_s // every_s % 4001 - 2000) for at_s in range(0, days * 86_400, every_s)]
    shards = open_shards(folder)
    for i in range(0, len(readings), 500):
        shards.append(readings[i : i + 500])
    return readings


def add_all(found: Archive) -> list[date]:
    due = found.due()
    for day in due:
        found.add(day)
    return due


def whole(found: Archive, start: datetime, end: datetime, name: str = FLOW) -> list[tuple[datetime, float]]:
    (series,) = found.query([name], start, end)
    assert isinstance(series, Series)
    times = [from_ms(int(at)) for at in series.times_ms]
    return list(zip(times, series.values.tolist(), strict=True))


def expected(readings: list[Reading], start: datetime, end: datetime, name: str = FLOW) -> list[tuple[datetime, float]]:
    rows = sorted(readings, key=lambda one: one.time_ms)
    found = [
        (from_ms(one.time_ms), values(one.answer).get(name)) for one in rows if start <= from_ms(one.time_ms) < end
    ]
    return [(at, value) for at, value in found if value is not None]


@pytest.mark.parametrize("added", [0, 2, 4])
def test_values_come_back_as_they_stand_in_the_shards_wherever_they_are_read(tmp_path: Path, added: int) -> None:
    readings = fill(tmp_path, 3)
    found = archive(tmp_path)
    for day in found.due()[:added]:
        found.add(day)
    for begin_h, end_h in ((-1, 100), (5, 31), (1, 1)):
        start, end = NOON + begin_h * HOURS, NOON + end_h * HOURS
        assert whole(found, start, end) == expected(readings, start, end)
        assert whole(archive(tmp_path), start, end) == expected(readings, start, end)


def all_rows(
    found: Archive, start: datetime, end: datetime, names: Sequence[str] = (FLOW,)
) -> list[tuple[object, ...]]:
    """Time, offset, source and values of every row, in the order in which they come."""
    rows: list[tuple[object, ...]] = []
    sensors = [one for one in found.sensors(start, end) if one.name in names]
    with found.look(start, end) as look:
        for piece in look.rows(sensors):
            n = len(piece.times_ms)
            lead: list[np.ndarray] = [piece.times_ms, piece.offsets_s.spread(n), piece.sources.spread(n)]
            none = Column(np.zeros(1, np.int32), np.zeros(n, np.bool_))
            cells = [piece.columns.get(sensor, none) for sensor in sensors]
            values = [
                np.where(cell.mask(n), cell.spread(n) / s.divisor, np.nan)
                for s, cell in zip(sensors, cells, strict=True)
            ]
            rows += zip(*(column.tolist() for column in (*lead, *values)), strict=True)
    return rows


def expected_rows(readings: list[Reading], start: datetime, end: datetime) -> list[tuple[object, ...]]:
    found = sorted(readings, key=lambda one: one.time_ms)
    return [
        (one.time_ms, one.offset_s, 0, values(one.answer)[FLOW]) for one in found if start <= from_ms(one.time_ms) < end
    ]


@pytest.mark.parametrize("added", [0, 2, 4])
def test_rows_come_whole_and_rising_wherever_their_days_are_read(tmp_path: Path, added: int) -> None:
    readings = fill(tmp_path, 3)
    found = archive(tmp_path)
    for day in found.due()[:added]:
        found.add(day)
    for begin_h, end_h in ((-1, 100), (5, 31), (1, 1)):
        start, end = NOON + begin_h * HOURS, NOON + end_h * HOURS
        assert all_rows(found, start, end) == expected_rows(readings, start, end)


def test_rows_of_days_that_lie_in_each_other_rise(tmp_path: Path) -> None:
    readings = fill(tmp_path, 2)
    # The zone was changed: hours of the sixth were polled again as the seventh.
    odd = [reading(86_400 + at_s, at_s, zone=ZoneInfo("Pacific/Kiritimati")) for at_s in range(7, 7200, 600)]
    open_shards(tmp_path).append(odd)
    found = archive(tmp_path)
    window = NOON, NOON + 72 * HOURS
    for _ in range(2):
        assert all_rows(found, *window) == expected_rows([*readings, *odd], *window)
        assert whole(found, *window) == expected([*readings, *odd], *window)
        add_all(found)


@pytest.mark.parametrize(("change", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_day_on_which_the_clocks_change_is_one_day_of_its_own_length(
    tmp_path: Path, change: tuple[int, int, int], hours: int
) -> None:
    noon = (datetime(*change, 12, tzinfo=BERLIN) - timedelta(days=1)).astimezone(UTC)
    from_noon_s = (noon - NOON).total_seconds()
    readings = [reading(from_noon_s + at_s, at_s // 600) for at_s in range(0, 2 * 86_400, 600)]
    open_shards(tmp_path).append(readings)
    found = archive(tmp_path)
    window = noon, noon + 48 * HOURS
    before = all_rows(found, *window)
    assert found.add(date(*change)) == hours * 6
    assert all_rows(found, *window) == before == expected_rows(readings, *window)
    assert {row[1] for row in before} == {3600, 7200}
    (series,) = found.query([FLOW], *window, 400)
    assert isinstance(series, ReducedSeries)
    assert series.counts.sum() == len(readings)


def test_sensor_of_which_only_the_texts_changed_stays_one_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = fill(tmp_path, 2)
    found = archive(tmp_path)
    found.add(date(2026, 1, 6))
    real = found._read

    def changed(day: date) -> tuple[Columns, Sequence[str]]:
        columns, schemas = real(day)
        told = {(replace(s, data_type="Kelvin") if s.name == FLOW else s): c for s, c in columns.columns.items()}
        return replace(columns, columns=told), schemas

    found._read = changed
    found.add(date(2026, 1, 7))
    window = NOON, NOON + 72 * HOURS
    assert whole(found, *window) == expected(readings, *window)
    assert all_rows(found, *window) == expected_rows(readings, *window)


def spoil(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "archive" / "archive.db", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount


_OF_FLOW = f"WHERE sensor = (SELECT id FROM sensor WHERE name = '{FLOW}')"
SPOILT = {
    "a byte of a column": f"UPDATE month_2026_01 SET data = CAST(substr(data, 1, 6) || x'77' AS BLOB) {_OF_FLOW}",
    "a column of another day": "UPDATE month_2026_01 AS one SET data = (SELECT data FROM month_2026_01 AS other "
    "WHERE other.sensor = one.sensor AND other.day != one.day) "
    f"{_OF_FLOW}",
    "a number where a column belongs": f"UPDATE month_2026_01 SET data = 7 {_OF_FLOW}",
    "a column that vanished": f"DELETE FROM month_2026_01 {_OF_FLOW}",
    "buckets that vanished": f"UPDATE month_2026_01 SET data = NULL, buckets = NULL {_OF_FLOW}",
    "a month under another name": "ALTER TABLE month_2026_01 RENAME TO month_2026_02",
    "the times of a day": "UPDATE day SET times = zeroblob(20)",
    "the first and last time of a day": "UPDATE day SET first_ms = 0, last_ms = 0",
    "the number of a day's rows": "UPDATE day SET rows = 0",
    "what a day was made from": "UPDATE day SET record = 'from ' || record",
    "a day under another date": "UPDATE day SET day = day + 100000000",
}


@pytest.mark.parametrize("statement", list(SPOILT.values()), ids=list(SPOILT))
def test_damaged_day_is_read_from_its_shards_and_due_again(tmp_path: Path, statement: str) -> None:
    readings = fill(tmp_path, 1)
    for read in (whole, all_rows):
        found = archive(tmp_path)
        add_all(found)
        spoil(tmp_path, statement)
        check = expected if read is whole else expected_rows
        assert read(found, NOON, NOON + 72 * HOURS) == check(readings, NOON, NOON + 72 * HOURS)
        assert found.due()
        add_all(found)
        assert found.due() == []
        found.discard()


def garble(folder: Path) -> None:
    with (folder / "archive" / "archive.db").open("r+b") as file:
        size = file.seek(0, SEEK_END)
        file.seek(8192)
        file.write(b"\xff" * (size - 8192))


def rescale(folder: Path) -> None:
    spoil(folder, f"UPDATE sensor SET divisor = 100 WHERE name = '{FLOW}'")


def lose_a_sensor(folder: Path) -> None:
    spoil(folder, f"DELETE FROM sensor WHERE name = '{FLOW}'")


def garble_a_text(folder: Path) -> None:
    spoil(folder, f"UPDATE sensor SET unit = CAST(x'B0FF' AS TEXT) WHERE name = '{FLOW}'")


def garble_the_schema(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "archive" / "archive.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = CAST(x'43FF' AS TEXT), name = CAST(x'FF' AS TEXT)")


@pytest.mark.parametrize("damage", [garble, rescale, lose_a_sensor, garble_a_text, garble_the_schema])
def test_archive_that_is_damaged_all_over_is_read_from_the_shards_and_begun_anew(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    readings = fill(tmp_path, 2)
    window = NOON, NOON + 72 * HOURS
    for read, check in ((whole, expected), (all_rows, expected_rows)):
        found = archive(tmp_path)
        add_all(found)
        damage(tmp_path)
        assert read(found, *window) == check(readings, *window)
        with pytest.raises(DamagedArchiveError):
            found.due()
        found.discard()
        assert len(add_all(found)) == 3
        found.discard()


def test_column_of_an_older_build_of_its_day_is_not_believed(tmp_path: Path) -> None:
    readings = [reading(600 * i, 5) for i in range(6)]
    open_shards(tmp_path).append(readings)
    found = archive(tmp_path)
    add_all(found)
    spoil(tmp_path, f"CREATE TABLE older AS SELECT data FROM month_2026_01 {_OF_FLOW}")
    late = reading(60, 6)
    open_shards(tmp_path).append([late])
    add_all(found)
    # Older pages may come back where the write-ahead log vanished while it was written into the file.
    spoil(tmp_path, f"UPDATE month_2026_01 SET data = (SELECT data FROM older), buckets = NULL {_OF_FLOW}")
    window = NOON, NOON + 5 * HOURS
    assert whole(found, *window) == expected([*readings, late], *window)
    assert found.due() == [date(2026, 1, 5)]


def test_archive_that_lost_a_sensor_takes_no_day_in(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    found = archive(tmp_path)
    found.add(date(2026, 1, 6))
    lose_a_sensor(tmp_path)
    with pytest.raises(DamagedArchiveError):
        found.add(date(2026, 1, 5))


def test_archive_begins_anew_without_what_an_older_file_left_to_roll_back(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    found = archive(tmp_path)
    for name in ("", "-wal", "-shm", "-journal"):
        (tmp_path / "archive" / f"archive.db{name}").write_bytes(b"older")
    found.discard()
    assert list((tmp_path / "archive").iterdir()) == []


def test_reader_goes_on_while_a_day_is_built_and_never_sees_half_of_it(tmp_path: Path) -> None:
    readings = fill(tmp_path, 3)
    found = archive(tmp_path)
    add_all(found)
    late = [reading(86_400 + at_s, 5) for at_s in range(1, 600, 30)]
    window = NOON, NOON + 96 * HOURS
    writer = sqlite3.connect(tmp_path / "archive" / "archive.db", isolation_level=None)
    with closing(writer):
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM month_2026_01")
        writer.execute("DELETE FROM day")
        assert whole(archive(tmp_path), *window) == expected(readings, *window)
        writer.execute("ROLLBACK")
    with found.look(*window) as look:
        pieces = look.rows([sensor("calculations", 10)])
        first = next(pieces)
        open_shards(tmp_path).append(late)
        add_all(archive(tmp_path))
        rest = list(pieces)
    assert [at for piece in (first, *rest) for at in piece.times_ms.tolist()] == [one.time_ms for one in readings]
    assert whole(archive(tmp_path), *window) == expected([*readings, *late], *window)


def test_archive_that_is_asked_while_its_first_day_is_added_is_not_taken_for_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    readings = fill(tmp_path, 1)
    found, real = archive(tmp_path), ArchiveFile._remove
    window = NOON, NOON + 72 * HOURS

    def asked_meanwhile(connection: sqlite3.Connection, days: Iterable[date]) -> None:
        assert whole(found, *window) == expected(readings, *window)
        real(connection, days)

    with mock.patch.object(ArchiveFile, "_remove", staticmethod(asked_meanwhile)):
        add_all(found)
    assert found.due() == []
    assert not caplog.records


def test_days_are_due_newest_first_until_they_are_added(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    found = archive(tmp_path)
    assert add_all(found) == [date(2026, 1, 7), date(2026, 1, 6), date(2026, 1, 5)]
    assert found.due() == []


def test_day_is_due_again_when_a_reading_came_and_is_read_from_the_shards_meanwhile(tmp_path: Path) -> None:
    readings = fill(tmp_path, 2)
    found = archive(tmp_path)
    add_all(found)
    late = reading(86_400 + 1, 77)
    open_shards(tmp_path).append([late])
    window = NOON, NOON + 72 * HOURS
    assert found.due() == [date(2026, 1, 6)]
    assert whole(found, *window) == expected([*readings, late], *window)
    add_all(found)
    assert found.due() == []
    assert whole(found, *window) == expected([*readings, late], *window)


def test_reading_that_comes_while_its_day_is_read_makes_it_due_again(tmp_path: Path) -> None:
    readings = fill(tmp_path, 1)
    late = reading(1, 77)
    found = archive(tmp_path)
    real = found._read

    def read(day: date) -> tuple[Columns, Sequence[str]]:
        columns = real(day)
        open_shards(tmp_path).append([late])
        return columns

    with mock.patch.object(found, "_read", read):
        found.add(date(2026, 1, 5))
    assert date(2026, 1, 5) in found.due()
    window = NOON, NOON + 72 * HOURS
    assert whole(found, *window) == expected([*readings, late], *window)


def test_day_that_cannot_be_added_stands_there_as_it_did(tmp_path: Path) -> None:
    readings = fill(tmp_path, 1)
    found = archive(tmp_path)
    add_all(found)
    with mock.patch.object(archive_file, "_day_row", side_effect=OSError("no memory")), pytest.raises(ArchiveError):
        found.add(date(2026, 1, 5))
    assert found.due() == []
    for path in list_parts(tmp_path / "shards").values():
        path.unlink()
    assert whole(found, NOON, NOON + 72 * HOURS) == expected(readings, NOON, NOON + 72 * HOURS)


def test_compression_makes_no_day_due(tmp_path: Path) -> None:
    readings = fill(tmp_path, 2)
    found = archive(tmp_path)
    add_all(found)
    for path in list_parts(tmp_path / "shards").values():
        compress(path)
    assert archive(tmp_path).due() == []
    assert whole(found, NOON, NOON + 72 * HOURS) == expected(readings, NOON, NOON + 72 * HOURS)


def test_day_whose_shards_are_gone_is_kept(tmp_path: Path) -> None:
    readings = fill(tmp_path, 2)
    found = archive(tmp_path)
    add_all(found)
    for path in list_parts(tmp_path / "shards").values():
        path.unlink()
    assert found.due() == []
    assert whole(found, NOON, NOON + 72 * HOURS) == expected(readings, NOON, NOON + 72 * HOURS)


@pytest.mark.parametrize("points", [2, 7, 48, 500, 10_000])
def test_reduced_series_has_least_mean_and_greatest_of_its_values(tmp_path: Path, points: int) -> None:
    readings = fill(tmp_path, 4)
    found = archive(tmp_path)
    for day in found.due()[1:]:
        found.add(day)
    start, end = NOON + timedelta(minutes=35), NOON + timedelta(hours=90, minutes=5)
    (series,) = found.query([FLOW], start, end, points)
    assert isinstance(series, ReducedSeries)
    assert len(series.times_ms) <= points
    groups: dict[int, list[float]] = {}
    for at, value in expected(readings, start, end):
        ms = round(at.timestamp() * 1000)
        groups.setdefault(ms - ms % series.length_ms, []).append(value)
    assert series.times_ms.tolist() == list(groups)
    assert series.mins.tolist() == [min(each) for each in groups.values()]
    assert series.maxs.tolist() == [max(each) for each in groups.values()]
    assert series.counts.tolist() == [len(each) for each in groups.values()]
    assert np.allclose(series.means, [sum(each) / len(each) for each in groups.values()])


def test_day_with_several_parts_and_schemas_is_one(tmp_path: Path) -> None:
    narrow = [reading(600 * i, i, calculations=120) for i in range(20)]
    wide = [reading(600 * i + 300, 100 + i, letters="V3.90") for i in range(20)]
    shards = open_shards(tmp_path)
    shards.append(narrow)
    shards.append(wide)
    assert len(list_parts(tmp_path / "shards")) == 2
    window = NOON, NOON + 5 * HOURS
    for _ in range(2):
        found = archive(tmp_path)
        assert whole(found, *window) == expected([*narrow, *wide], *window)
        assert whole(found, *window, FAR) == expected([*narrow, *wide], *window, FAR)
        add_all(found)


def test_sensor_whose_scale_changed_gives_a_series_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 1)
    real = day_columns.read
    shards = tmp_path / "shards"

    def changed(day: date) -> tuple[Columns, list[str]]:
        columns, schemas = real(shards, Catalog(shards), day)
        if day != date(2026, 1, 5):
            return columns, schemas
        renamed = {(replace(s, divisor=100) if s.name == FLOW else s): c for s, c in columns.columns.items()}
        return replace(columns, columns=renamed), schemas

    found = archive(tmp_path)
    found._read = changed
    add_all(found)
    series = found.query([FLOW], NOON, NOON + 48 * HOURS)
    assert sorted(one.sensor.divisor for one in series) == [10, 100]


def test_day_whose_shards_stand_is_not_dropped(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    found = archive(tmp_path)
    add_all(found)
    assert found.drop(date(2026, 1, 6)) == []
    assert found.due() == []


def test_days_are_dropped_and_their_month_with_the_last_of_it(tmp_path: Path) -> None:
    readings = fill(tmp_path, 40, every_s=21_600)
    found = archive(tmp_path)
    add_all(found)
    for path in list_parts(tmp_path / "shards").values():
        path.unlink()
    found.drop(date(2026, 2, 2))
    window = NOON, NOON + 1000 * HOURS
    assert whole(found, *window) == [
        row for row in expected(readings, *window) if row[0] >= datetime(2026, 2, 2, 23, tzinfo=UTC)
    ]
    with sqlite3.connect(tmp_path / "archive" / "archive.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'month%'")}
    assert names == {"month_2026_02"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((["Temperature"], NOON, NOON), "no sensor Temperature"),
        (([FLOW], NOON, NOON - HOURS), "lies before the start"),
        (([FLOW], NOON.replace(tzinfo=None), NOON), "has no time zone"),
        (([FLOW], NOON, NOON, 1), "1 points are too few"),
    ],
)
def test_query_that_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[object, ...], said: str) -> None:
    fill(tmp_path, 1)
    with pytest.raises(QueryError, match=said):
        archive(tmp_path).query(*arguments)  # type: ignore[arg-type]
