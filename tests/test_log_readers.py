"""Every reader takes the rows of log parts alike: daily and weekly files, archive, page, export."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline import checkpoint, log_part, readout
from pipeline.catalog import Catalog
from pipeline.cells import text_of
from pipeline.clock import ALWAYS, from_ms, local_label, parse_utc_text, to_ms, utc_text
from pipeline.columns import SOURCES, Columns
from pipeline.compress import compress
from pipeline.day_reader import DayReader
from pipeline.log_part import LogDay, LogRow
from pipeline.marks import Marks, marks_of
from pipeline.part import list_all, list_parts, log_of
from pipeline.sensors import sensor
from pipeline.series import Series
from stages.export import Export, Request
from tests.archives import make_archive, make_archiving
from tests.logged import DAY, FLOW, SENSORS, log_day, log_row
from tests.parts import BERLIN, NOON, TurnedClock, open_shards, reading, stored
from tests.rollups import NOW, make_all, make_rollup, published
from tests.running import ROOT

HOUR, A_DAY = 3600, 86_400

#: The sensors of logs here; only some live parts have the third one.
WIDE = (*SENSORS, sensor("calculations", 145))

#: Time (ms), source, and each value that is there by its column.
Row = tuple[int, str, dict[str, str]]


def publish(folder: Path, one: LogDay) -> bool:
    return log_part.publish(folder / "shards", Catalog(folder / "shards"), one, {})


def texts(lines: Iterator[str]) -> list[Row]:
    found = []
    for row in csv.DictReader(lines):
        time_text, _, source = (row.pop(name) for name in ("time", "local_time", "source"))
        found.append((parse_utc_text(time_text), source, {name: cell for name, cell in row.items() if cell}))
    return found


def lines_of(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from file


def model(folder: Path) -> list[Row]:
    """What every reader should find: all live rows, and the log rows that none of them stands near."""
    shards = folder / "shards"
    live = [row for path in list_parts(shards).values() for row in texts(lines_of(path))]
    logged: list[Row] = []
    for day in log_part.days(shards):
        interval_ms = json.loads((shards / f"{day}.log.json").read_bytes())["interval_ms"]
        rows = texts(lines_of(list_all(shards)[log_of(day)]))
        logged += [row for row in rows if all(abs(row[0] - other[0]) >= interval_ms for other in live)]
    return sorted([*live, *logged], key=lambda row: row[:2])


def in_rollups(folder: Path) -> dict[str, list[Row]]:
    return {name: texts(iter(content.decode().splitlines())) for name, content in published(folder).items()}


def in_window(rows: list[Row], start_ms: int, end_ms: int) -> list[Row]:
    return [row for row in rows if start_ms <= row[0] < end_ms]


def of_columns(columns: Columns) -> list[Row]:
    n = len(columns.times_ms)
    places = columns.sources.spread(n)
    rows: list[Row] = [(int(at), SOURCES[places[i]], {}) for i, at in enumerate(columns.times_ms)]
    for one, column in columns.columns.items():
        values, mask = column.spread(n), column.mask(n)
        for i in range(n):
            if mask[i]:
                rows[i][2][one.name] = text_of(int(values[i]), one.divisor)
    return rows


def in_archive(folder: Path) -> list[Row]:
    archive = make_archive(folder)
    make_archiving(archive, NOW + timedelta(days=9)).step()
    while make_archiving(archive, NOW + timedelta(days=9)).step():
        pass
    assert archive.due() == []
    start, end = from_ms(ALWAYS[0]), from_ms(ALWAYS[1])
    with archive.look(start, end) as look:
        return [row for piece in look.rows(look.sensors()) for row in of_columns(piece)]


def in_day_reader(folder: Path) -> list[Row]:
    shards = folder / "shards"
    reader = DayReader(shards, Catalog(shards))
    days = sorted({part.day for part in list_all(shards)})
    return sorted([row for day in days for row in of_columns(reader.read(day)[0])], key=lambda row: row[:2])


def check(folder: Path) -> None:
    """Compare what all readers find with the model."""
    wanted = model(folder)
    rollup = make_rollup(folder)
    make_all(rollup)
    made = in_rollups(folder)
    for one in rollup.windows(NOW):
        assert made.pop(one.name) == in_window(wanted, one.start_ms, one.end_ms)
    assert not made
    assert rollup.due(NOW) == []
    assert in_archive(folder) == wanted
    assert in_day_reader(folder) == wanted


def logged_days(rows: Mapping[int, tuple[int | None, ...]], interval_s: int = 30) -> list[LogDay]:
    """The log days of rows at seconds after noon."""
    days: dict[date, list[LogRow]] = {}
    for at, raws in sorted(rows.items()):
        moment = NOON + timedelta(seconds=at)
        day, offset_s = local_label(moment, BERLIN)
        days.setdefault(day, []).append(LogRow(to_ms(moment), offset_s, (*raws, None, None)[: len(WIDE)]))
    return [LogDay(day, WIDE, tuple(some), interval_s * 1000) for day, some in days.items()]


shapes = st.sampled_from([(140, "V1"), (140, "V1"), (150, "V1"), (95, "V1"), (140, "V2")])
live_rows = st.lists(st.tuples(st.integers(-2 * A_DAY, 17 * HOUR), shapes), max_size=8, unique_by=lambda row: row[0])
cells = st.tuples(*[st.none() | st.integers(-(2**31), 2**31 - 1)] * 3)
log_rows = st.dictionaries(st.integers(-2 * A_DAY, 17 * HOUR), cells, max_size=8)


@examples(max_examples=8)
@given(live_rows, log_rows, st.integers(1, 7200), st.booleans(), st.data())
def test_any_mix_of_live_parts_and_log_rows_is_read_alike_everywhere(
    tmp_path_factory: pytest.TempPathFactory,
    live: list[tuple[int, tuple[int, str]]],
    logged: dict[int, tuple[int | None, ...]],
    interval_s: int,
    sort: bool,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    readings = [reading(at, calculations=shape[0], letters=shape[1]) for at, shape in (sorted(live) if sort else live)]
    half = data.draw(st.integers(0, len(readings)))
    open_shards(folder).append(readings[:half])
    for one in logged_days(logged, interval_s):
        publish(folder, one)
    check(folder)
    for path in list_all(folder / "shards").values():
        if data.draw(st.booleans()):
            compress(path)
    check(folder)
    open_shards(folder).append(readings[half:])
    check(folder)


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_nights_in_which_the_clocks_change_have_every_row_once(tmp_path: Path, night: str) -> None:
    start = (datetime.fromisoformat(f"{night}T00:00+00:00") - NOON).total_seconds()
    first, last = int(start) - 3 * HOUR, int(start) + 7 * HOUR
    open_shards(tmp_path).append([reading(at) for at in (first, last)])
    for one in logged_days({at: (at % 500, None) for at in range(first, last, 600)}):
        publish(tmp_path, one)
    wanted = model(tmp_path)
    assert len(wanted) == 2 + 59
    now = datetime.fromisoformat(f"{night}T12:00+00:00")
    rollup = make_rollup(tmp_path, now=now)
    make_all(rollup)
    end_ms = rollup.window(date.fromisoformat(night), "weekly").end_ms
    assert in_rollups(tmp_path)[f"{night}_weekly.csv"] == in_window(wanted, ALWAYS[0], end_ms)
    assert in_day_reader(tmp_path) == wanted


def test_day_that_the_log_alone_knows_is_there_for_all(tmp_path: Path) -> None:
    for one in logged_days({at: (at % 500, 7) for at in range(-A_DAY, 12 * HOUR, HOUR)}):
        publish(tmp_path, one)
    assert list_parts(tmp_path / "shards") == {}
    check(tmp_path)
    assert {row[1] for row in in_rollups(tmp_path)["2026-01-06_daily.csv"]} == {"log"}
    assert stored(tmp_path) == []


def test_no_log_row_counts_as_a_live_reading(tmp_path: Path) -> None:
    shards, live = tmp_path / "shards", [reading(0), reading(A_DAY, letters="V3.99")]
    open_shards(tmp_path).append(live)
    before = (sorted(readout.times(shards, *ALWAYS)), readout.last(shards, Catalog(shards)))
    marks = {day: marks_of(shards, Catalog(shards), day) for day in (DAY, DAY + timedelta(days=1))}
    for one in logged_days(dict.fromkeys(range(600, 3 * A_DAY, 6000), (1, 1))):
        publish(tmp_path, one)
    assert (sorted(readout.times(shards, *ALWAYS)), readout.last(shards, Catalog(shards))) == before
    assert stored(tmp_path) == live
    assert {day: marks_of(shards, Catalog(shards), day) for day in marks} == marks
    keeping = Marks(shards, Catalog(shards), TurnedClock())
    assert not keeping.step()
    assert sorted(path.name for path in (shards / "marks").iterdir()) == [f"{day}.json" for day in marks]
    open_shards(tmp_path).append([*live, reading(A_DAY + 30, letters="V3.99")])
    assert len(stored(tmp_path)) == 3


# ---- what is due ----------------------------------------------------------------------------------------------------


def due(folder: Path) -> list[str]:
    return [f"{one.day.day} {one.kind}" for one in make_rollup(folder).due(NOW)]


def days_due(folder: Path) -> list[int]:
    return [day.day for day in make_archive(folder).due()]


def lay(folder: Path) -> None:
    open_shards(folder).append([reading(hour * HOUR) for hour in range(-48, 12)])
    make_all(make_rollup(folder))
    in_archive(folder)
    assert (due(folder), days_due(folder)) == ([], [])


def test_files_and_days_are_due_when_a_log_part_comes_changes_or_goes_and_not_otherwise(tmp_path: Path) -> None:
    lay(tmp_path)
    affected = ["5 weekly", "6 daily", "6 weekly"]
    for change, (windows, days) in {
        log_day(log_row(600)): (["6 daily", "6 weekly"], [5]),
        log_day(log_row(600), log_row(660)): (["6 daily", "6 weekly"], [5]),
        log_day(log_row(600), log_row(660, 301)): (["6 daily", "6 weekly"], [5]),
        log_day(log_row(-6 * HOUR + 60), log_row(600)): (["5 daily", *affected], [5]),
        log_day(): (["5 daily", *affected], [5]),
    }.items():
        assert publish(tmp_path, change)
        assert (due(tmp_path), days_due(tmp_path)) == (windows, days)
        check(tmp_path)
        assert not publish(tmp_path, change)
        assert (due(tmp_path), days_due(tmp_path)) == ([], [])


def test_rows_that_do_not_count_make_nothing_due(tmp_path: Path) -> None:
    lay(tmp_path)
    before = published(tmp_path)
    publish(tmp_path, log_day(log_row(10), log_row(HOUR - 10)))
    assert (due(tmp_path), days_due(tmp_path)) == ([], [])
    assert published(tmp_path) == before


def test_compression_of_what_was_taken_makes_nothing_due_and_a_new_log_part_does(tmp_path: Path) -> None:
    lay(tmp_path)
    publish(tmp_path, log_day(log_row(600)))
    check(tmp_path)
    for path in list_all(tmp_path / "shards").values():
        compress(path)
        assert (due(tmp_path), days_due(tmp_path)) == ([], [])
    publish(tmp_path, log_day(log_row(600), log_row(660)))
    compress(tmp_path / "shards" / f"{DAY}.log.csv")
    assert (due(tmp_path), days_due(tmp_path)) == (["6 daily", "6 weekly"], [5])


def test_records_of_days_without_a_log_part_stay_as_they_were(tmp_path: Path) -> None:
    lay(tmp_path)
    for path in (tmp_path / "daily").glob("*.checkpoint"):
        record = checkpoint.load(path.with_suffix(""))
        assert record is not None
        assert not any(source.part.is_log for source in record.sources)
    publish(tmp_path, log_day(log_row(600)))
    assert "5 daily" not in due(tmp_path)


def test_live_row_just_outside_of_the_window_covers_a_log_row_inside(tmp_path: Path) -> None:
    border = -5 * HOUR  # seven o'clock in Berlin
    open_shards(tmp_path).append([reading(border - 5), reading(border + A_DAY + 5)])
    publish(tmp_path, log_day(log_row(border + 10), log_row(border + 30)))
    publish(tmp_path, log_day(log_row(border + A_DAY - 10), day=date(2026, 1, 6)))
    make_all(make_rollup(tmp_path))
    (row,) = in_rollups(tmp_path)["2026-01-06_daily.csv"]
    assert row[:2] == (reading(border + 30).time_ms, "log")
    check(tmp_path)


def test_live_row_that_comes_late_takes_the_place_of_a_log_row_everywhere(tmp_path: Path) -> None:
    lay(tmp_path)
    publish(tmp_path, log_day(log_row(600)))
    check(tmp_path)
    open_shards(tmp_path).append([reading(601)])
    assert (due(tmp_path), days_due(tmp_path)) == (["6 daily", "6 weekly"], [5])
    check(tmp_path)
    assert "log" not in {row[1] for row in in_rollups(tmp_path)["2026-01-06_daily.csv"]}


def test_file_of_log_rows_alone_goes_when_they_are_taken_back(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(-3 * A_DAY)])
    publish(tmp_path, log_day(log_row(600)))
    check(tmp_path)
    assert "2026-01-06_daily.csv" in published(tmp_path)
    publish(tmp_path, log_day())
    check(tmp_path)
    assert "2026-01-06_daily.csv" not in published(tmp_path)
    assert not (tmp_path / "daily" / "2026-01-06_daily.csv.checkpoint").exists()


def test_file_whose_log_part_went_with_its_day_stays(tmp_path: Path) -> None:
    lay(tmp_path)
    publish(tmp_path, log_day(log_row(600)))
    check(tmp_path)
    kept = published(tmp_path)["2026-01-06_daily.csv"]
    for path in (tmp_path / "shards").glob(f"{DAY}*"):
        path.unlink()
    make_all(make_rollup(tmp_path))
    assert published(tmp_path)["2026-01-06_daily.csv"] == kept
    assert days_due(tmp_path) == []


def test_columns_of_live_rows_stand_as_without_a_log_and_bytes_beside_it_are_the_same(tmp_path: Path) -> None:
    lay(tmp_path)
    before = published(tmp_path)
    publish(tmp_path, log_day(log_row(-47.5 * HOUR), day=date(2026, 1, 3)))
    publish(tmp_path, log_day(log_row(600)))
    make_all(make_rollup(tmp_path))
    after = published(tmp_path)
    assert after["2026-01-05_daily.csv"] == before["2026-01-05_daily.csv"]
    for name in ("2026-01-06_daily.csv", "2026-01-06_weekly.csv"):
        assert [line for line in after[name].splitlines() if b",log," not in line] == before[name].splitlines()


@pytest.mark.parametrize("what", ["pwrite", "fsync", "replace"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_rollup_of_log_rows_that_is_killed_goes_on(tmp_path: Path, what: str, share: float) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    for each in (whole, folder):
        open_shards(each).append([reading(at * HOUR) for at in range(-20, 12)])
        publish(each, log_day(*(log_row(at * 60) for at in range(-600, 600, 7))))
    make_all(make_rollup(whole))
    expected = published(whole)
    calls = {"replace": 4 * len(expected), "fsync": 8 * len(expected), "pwrite": sum(map(len, expected.values()))}
    command = [sys.executable, "-m", "tests.killing", str(folder), what, str(int(calls[what] * share))]
    assert subprocess.run(command, cwd=ROOT, env={**os.environ}).returncode == -signal.SIGKILL
    make_all(make_rollup(folder))
    assert published(folder) == expected


# ---- export and page ------------------------------------------------------------------------------------------------


def test_export_says_which_rows_are_from_the_log(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 215), reading(30, 216)])
    publish(tmp_path, log_day(log_row(0), log_row(90, 220), log_row(150, None)))
    stream = io.BytesIO()
    request = Request(NOON, NOON + timedelta(hours=1), patterns=(FLOW,))
    Export(make_archive(tmp_path), {}).to_stream(request, stream, lambda _done, _total: None)
    assert [(row[1], row[2].get(FLOW)) for row in texts(iter(stream.getvalue().decode().splitlines()))] == [
        ("live", "21.5"),
        ("live", "21.6"),
        ("log", "22"),
        ("log", None),
    ]


def test_query_has_the_log_rows_of_archived_and_of_open_days(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 100)])
    for one in logged_days({-A_DAY: (110, None), 600: (120, None), A_DAY: (130, None)}):
        publish(tmp_path, one)
    archive = make_archive(tmp_path)
    make_archiving(archive, datetime(2026, 1, 5, 8, tzinfo=UTC)).step()
    (series,) = archive.query([FLOW], NOON - timedelta(days=3), NOON + timedelta(days=3))
    assert isinstance(series, Series)
    assert series.values.tolist() == [11, 10, 12, 13]
    assert utc_text(int(series.times_ms[0])) == "2026-01-04T11:00:00.000Z"
