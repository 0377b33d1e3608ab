"""The log part of a day: published whole or not at all, and what its columns mean."""

from __future__ import annotations

import gzip
import json
import logging
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline import files, log_part, log_schema
from pipeline.catalog import PACKAGE, Catalog
from pipeline.clock import local_label, to_ms
from pipeline.compress import compress
from pipeline.log_part import LogDay, LogRow
from pipeline.part import Part, list_all, list_parts, log_of
from pipeline.sensors import Sensor, sensor
from tests.logged import DAY, FLOW, SENSORS, log_day, log_row
from tests.parts import BERLIN, NOON, open_shards, reading, stored
from tests.running import ROOT

NAME = f"{DAY}.log.csv"
ABOUT = f"{DAY}.log.json"


def look(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir() if path.is_file()}


def publish(folder: Path, one: LogDay, **report: object) -> bool:
    return log_part.publish(folder, Catalog(folder), one, report)


def load(folder: Path, day: date = DAY) -> LogDay | None:
    return log_part.load(folder, Catalog(folder), day)


def test_rows_stand_there_as_live_rows_do(tmp_path: Path) -> None:
    assert publish(tmp_path, log_day(log_row(0, 215, 5), log_row(60, None, -30)))
    assert (tmp_path / NAME).read_text() == (
        "time,local_time,source,ID_WEB_Temperatur_TVL,ID_WEB_Temperatur_TRL\n"
        "2026-01-05T11:00:00.000Z,2026-01-05 12:00:00,log,21.5,0.5\n"
        "2026-01-05T11:01:00.000Z,2026-01-05 12:01:00,log,,-3\n"
    )
    assert log_part.days(tmp_path) == [DAY]
    assert list_parts(tmp_path) == {}
    assert list(list_all(tmp_path)) == [log_of(DAY)]


def test_values_are_written_as_the_live_row_of_the_same_reading_has_them(tmp_path: Path) -> None:
    given_ = reading(0, 777)
    open_shards(tmp_path).append([given_])
    folder = tmp_path / "shards"
    header, line = ((folder / f"{DAY}.csv").read_text()).splitlines()
    names = [each.name for each in SENSORS]
    sensors = log_schema.sensors_for(folder, Catalog(folder), DAY, names)
    raws = tuple(given_.answer.calculations[each.index] for each in sensors)
    publish(folder, LogDay(DAY, sensors, (LogRow(given_.time_ms, given_.offset_s, raws),), 30_000))
    wanted = dict(zip(header.split(","), line.split(","), strict=True)) | {"source": "log"}
    told, row = (folder / NAME).read_text().splitlines()
    assert row.split(",") == [wanted[name] for name in told.split(",")]


def test_file_beside_it_tells_interval_rows_and_the_report(tmp_path: Path) -> None:
    publish(tmp_path, log_day(log_row(0), interval_ms=45_000), accepted=1, rejected={"pump": 2})
    assert json.loads((tmp_path / ABOUT).read_bytes()) == {
        "format": 1,
        "day": "2026-01-05",
        "interval_ms": 45_000,
        "rows": 1,
        "report": {"accepted": 1, "rejected": {"pump": 2}},
    }


def test_same_content_again_changes_nothing(tmp_path: Path) -> None:
    one = log_day(log_row(0), log_row(60))
    publish(tmp_path, one, why="x")
    before = look(tmp_path)
    assert not publish(tmp_path, one, why="x")
    assert look(tmp_path) == before
    compress(tmp_path / NAME)
    before = look(tmp_path)
    assert not publish(tmp_path, one, why="x")
    assert look(tmp_path) == before


@pytest.mark.parametrize("is_compressed", [False, True])
def test_other_rows_take_the_place_of_those_before_and_other_facts_only_of_the_facts(
    tmp_path: Path, is_compressed: bool
) -> None:
    publish(tmp_path, log_day(log_row(0)))
    if is_compressed:
        compress(tmp_path / NAME)
    before = look(tmp_path)
    assert publish(tmp_path, log_day(log_row(0), interval_ms=10_000), why="y")
    changed = {name for name, one in look(tmp_path).items() if before.get(name) != one}
    assert changed == {ABOUT}
    other = log_day(log_row(0), log_row(60), interval_ms=10_000)
    assert publish(tmp_path, other, why="y")
    assert load(tmp_path) == other
    assert not (tmp_path / f"{NAME}.gz").exists()


@pytest.mark.parametrize("is_compressed", [False, True])
def test_no_rows_take_the_part_away_and_leave_what_is_told_of_it(tmp_path: Path, is_compressed: bool) -> None:
    publish(tmp_path, log_day(log_row(0)))
    if is_compressed:
        compress(tmp_path / NAME)
    assert publish(tmp_path, log_day(), rejected=1)
    assert list_all(tmp_path) == {}
    assert json.loads((tmp_path / ABOUT).read_bytes())["rows"] == 0
    assert NAME not in (tmp_path / PACKAGE).read_text()
    assert load(tmp_path) is None
    before = look(tmp_path)
    assert not publish(tmp_path, log_day(), rejected=1)
    assert look(tmp_path) == before


def test_no_rows_where_nothing_is_leave_nothing(tmp_path: Path) -> None:
    assert not publish(tmp_path / "shards", log_day())
    assert not (tmp_path / "shards").exists()
    assert publish(tmp_path / "shards", log_day(), rejected=7)
    assert [path.name for path in (tmp_path / "shards").iterdir()] == [ABOUT]


def test_live_parts_and_their_numbers_are_not_touched(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0), reading(30)])
    live = (tmp_path / "shards" / f"{DAY}.csv").read_bytes()
    publish(tmp_path / "shards", log_day(log_row(600)))
    assert (tmp_path / "shards" / f"{DAY}.csv").read_bytes() == live
    open_shards(tmp_path).append([reading(60), reading(-60)])
    assert [each.time_ms for each in stored(tmp_path)] == [reading(at).time_ms for at in (-60, 0, 30, 60)]
    assert list(list_all(tmp_path / "shards")) == [log_of(DAY), Part(DAY, 1), Part(DAY, 2)]
    assert Catalog(tmp_path / "shards").last_number(DAY) == 2
    assert load(tmp_path / "shards") == log_day(log_row(600))


def test_its_schema_and_the_package_tell_what_its_columns_mean(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, letters="V3.91")])
    publish(tmp_path / "shards", log_day(log_row(600)))
    schema = Catalog(tmp_path / "shards").schema_of(log_of(DAY))
    assert schema is not None
    assert (schema.firmware, schema.pump_code, schema.sensors) == ("V3.91", 58, SENSORS)
    package = json.loads((tmp_path / "shards" / PACKAGE).read_bytes())
    (resource,) = (each for each in package["resources"] if each["path"] == [NAME])
    assert resource["schema"] == f"schema-{schema.hash}.json"


def test_columns_mean_what_they_did_where_tables_and_package_are_others(tmp_path: Path) -> None:
    odd = Sensor("calculations", 10, "ID_WEB_Temperatur_TVL", "Celsius", "°C", 100)
    open_shards(tmp_path).append([reading(0)])
    folder = tmp_path / "shards"
    one = LogDay(DAY, (odd,), (LogRow(reading(600).time_ms, 3600, (2150,)),), 30_000)
    publish(folder, one)
    assert load(folder) == one
    (folder / PACKAGE).unlink()
    assert load(folder) == one


def test_lost_schema_is_told_by_the_live_columns_of_the_same_names(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0), reading(86_400), reading(90_000, letters="V3.92")])
    folder = tmp_path / "shards"
    publish(folder, log_day(log_row(600)))
    schema = log_schema.schema_of(folder, Catalog(folder), DAY)
    assert schema is not None
    (folder / f"schema-{schema.hash}.json").unlink()
    assert load(folder) == log_day(log_row(600))


def test_sensors_are_known_by_name_from_the_nearest_live_part_in_the_order_of_its_columns(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, calculations=100), reading(3 * 86_400)])
    folder, catalog = tmp_path / "shards", Catalog(tmp_path / "shards")
    late = sensor("calculations", 120)
    wanted = [late.name, "nobody", SENSORS[1].name, FLOW]
    assert log_schema.sensors_for(folder, catalog, DAY, wanted) == (*SENSORS, late)
    assert log_schema.sensors_for(folder, catalog, DAY - timedelta(days=9), [FLOW]) == SENSORS[:1]
    assert log_schema.sensors_for(tmp_path, Catalog(tmp_path), DAY, [FLOW]) == ()


@pytest.mark.parametrize("how", ["half a row", "cut", "no header", "other source", "no number", "falls", "garbage.gz"])
def test_damaged_part_is_told_and_not_given(tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    publish(tmp_path, log_day(log_row(0), log_row(60)))
    path = tmp_path / NAME
    content = path.read_bytes()
    if how == "garbage.gz":
        compress(path)
        packed = path.with_name(f"{NAME}.gz")
        packed.write_bytes(packed.read_bytes()[:-9])
    else:
        path.write_bytes(
            {
                "half a row": content.replace(b",log,", b",\n", 1),
                "cut": content[:-1],
                "no header": content[3:],
                "other source": content.replace(b",log,", b",live,", 1),
                "no number": content.replace(b"0.5", b"0-5", 1),
                "falls": content.replace(b":01:00.000Z", b":00:00.000Z"),
            }[how]
        )
    assert load(tmp_path) is None
    assert [record.message for record in caplog.records] == ["log part is damaged"]
    assert publish(tmp_path, log_day(log_row(0), log_row(60)))
    assert load(tmp_path) == log_day(log_row(0), log_row(60))


@pytest.mark.parametrize("about", [None, b"", b"[1]", b'{"interval_ms": "x"}', b'{"interval_ms": -1}'])
def test_part_without_a_sound_file_beside_it_is_read_with_an_interval_that_fits_any_log(
    tmp_path: Path, about: bytes | None
) -> None:
    publish(tmp_path, log_day(log_row(0)))
    (tmp_path / ABOUT).unlink()
    if about is not None:
        (tmp_path / ABOUT).write_bytes(about)
    assert load(tmp_path) == log_day(log_row(0), interval_ms=60_000)


@pytest.mark.parametrize("rows", [(log_row(60), log_row(0)), (log_row(0), log_row(0))])
def test_rows_that_do_not_rise_are_refused(tmp_path: Path, rows: tuple[LogRow, ...]) -> None:
    with pytest.raises(ValueError, match="do not rise"):
        publish(tmp_path, log_day(*rows))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("nth", range(12))
def test_publishing_that_fails_anywhere_leaves_the_old_part_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    old, new = log_day(log_row(0)), log_day(log_row(0), log_row(60), interval_ms=10_000)
    publish(tmp_path, old)
    compress(tmp_path / NAME)
    left = [nth]

    def failing(real: object) -> object:
        def call(*arguments: object, **keywords: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5, "injected")
            return real(*arguments, **keywords)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((os, "fsync"), (os, "pwrite"), (Path, "replace"), (Path, "unlink")):
            patch.setattr(owner, name, failing(getattr(owner, name)))
        with pytest.raises(OSError, match="injected"):
            publish(tmp_path, new)
    found = load(tmp_path)
    assert found is not None
    assert found.rows in (old.rows, new.rows)
    assert found.interval_ms in (old.interval_ms, new.interval_ms)
    assert publish(tmp_path, new) or load(tmp_path) == new
    assert load(tmp_path) == new


@pytest.mark.parametrize("nth", range(4))
def test_part_never_stands_there_without_the_interval_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    left, real = [nth], Path.replace

    def replace(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "injected")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="injected"):
        publish(tmp_path, log_day(log_row(0)))
    assert (tmp_path / ABOUT).exists() is (nth == 3)
    assert not (tmp_path / NAME).exists()


_PUBLISH = """
import sys
from pathlib import Path
from pipeline import log_part
from pipeline.catalog import Catalog
from tests.killing import arm
from tests.logged import log_day, log_row
folder = Path(sys.argv[1])
catalog = Catalog(folder)
arm(sys.argv[2], int(sys.argv[3]))
log_part.publish(folder, catalog, log_day(log_row(0), log_row(60), interval_ms=10_000), {})
"""


@pytest.mark.parametrize(
    ("what", "nth"),
    [
        *(("replace", nth) for nth in range(3)),
        *(("fsync", nth) for nth in (0, 3, 4, 5, 6)),
        *(("pwrite", nth) for nth in (0, 300, 500, 600)),
        ("unlink", 0),
    ],
)
def test_publishing_that_is_killed_anywhere_leaves_the_old_part_or_the_new_one(
    tmp_path: Path, what: str, nth: int
) -> None:
    old, new = log_day(log_row(0)), log_day(log_row(0), log_row(60), interval_ms=10_000)
    publish(tmp_path, old)
    compress(tmp_path / NAME)
    command = [sys.executable, "-c", _PUBLISH, str(tmp_path), what, str(nth)]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    found = load(tmp_path)
    assert found is not None
    assert found.rows in (old.rows, new.rows)
    files.remove_leftovers(tmp_path)
    publish(tmp_path, new)
    assert load(tmp_path) == new
    compress(tmp_path / NAME)
    assert load(tmp_path) == new
    assert {path.name for path in tmp_path.iterdir() if "schema" not in path.name} == {f"{NAME}.gz", ABOUT, PACKAGE}


@examples(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 90_000), st.tuples(*[st.none() | st.integers(-(2**31), 2**31 - 1)] * 2))),
    st.integers(1, 3_600_000),
    st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), DAY]),
)
def test_what_is_published_is_loaded_and_published_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[tuple[int, tuple[int | None, int | None]]],
    interval_ms: int,
    day: date,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    start = NOON + (day - DAY) - timedelta(hours=12)
    moments = [(start + timedelta(seconds=at), raws) for at, raws in sorted(dict(found).items())]
    rows = tuple(LogRow(to_ms(at), local_label(at, BERLIN)[1], raws) for at, raws in moments)
    one = LogDay(day, SENSORS, rows, interval_ms)
    assert publish(folder, one) is bool(rows)
    assert load(folder, day) == (one if rows else None)
    assert not publish(folder, one)


def test_damaged_package_or_old_program_leaves_the_part_readable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    publish(tmp_path, log_day(log_row(0)))
    (tmp_path / PACKAGE).write_bytes(b"{")
    assert load(tmp_path) == log_day(log_row(0))
    with gzip.open(tmp_path / f"{NAME}.gz", "wb") as file:
        file.write(b"older")
    assert load(tmp_path) == log_day(log_row(0))
