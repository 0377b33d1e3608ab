"""Runs the examples of docs/analysis.md on real shards and exports, and compares what they find with the readings."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyreadstat
import pytest

from pipeline.compress import compress
from pipeline.reading import Reading
from pipeline.sensors import values
from tests import desk as desks
from tests.desk import FLOW, HEAT, PAGE, STARTS, STATE, daily, from_the_log, hourly, polled, section, state_counts, wall
from tests.parts import open_shards


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    return desks.four_days()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, readings: list[Reading]) -> Path:
    return desks.lay(tmp_path_factory.mktemp("desk"), readings)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Reading]]]:
    """A folder with the shards of twenty pumps, some of them updated."""
    folder = tmp_path_factory.mktemp("storage")
    pumps = {
        f"pump-{pump:02}": [polled(n, pump=pump, updated=pump % 7 == 0) for n in range(0, 144, 6)]
        for pump in range(1, 21)
    }
    for name, some in pumps.items():
        open_shards(folder / "fleet" / name).append(some)
    compress(folder / "fleet" / "pump-03" / "shards" / "2026-01-05.csv")
    return folder, pumps


def run_python(title: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names that the Python examples below a heading leave, run one after the other."""
    names = dict(known or {})
    for block in section(title, "python"):
        exec(compile(block, PAGE.name, "exec"), names)
    return names


def as_dates(series: Any) -> dict[date, float]:
    return {stamp.date(): value for stamp, value in series.dropna().items()}


def as_hours(series: Any) -> dict[datetime, float]:
    return {stamp.tz_localize(None).to_pydatetime(): value for stamp, value in series.items()}


def test_pandas_examples_find_what_the_pump_said(
    desk: Path, readings: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    found = run_python("pandas")
    assert as_hours(found["hourly"]) == pytest.approx(hourly(readings, from_the_log()))
    assert as_dates(found["daily"][STARTS]) == daily(readings, STARTS)
    assert as_dates(found["daily"][HEAT]) == pytest.approx(daily(readings, HEAT))
    assert (found["unit"], found["states"].to_dict()) == ("kWh", state_counts(readings))
    assert as_hours(found["shard_hourly"]) == pytest.approx(hourly(readings))
    assert as_dates(found["shard_daily"]) == daily(readings, STARTS)
    assert found["shard_fields"][FLOW]["unit"] == "°C"


def test_duckdb_reads_an_export_and_its_dictionary(
    desk: Path, readings: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    answers: list[list[tuple[Any, ...]]] = []
    with duckdb.connect() as connection:
        for block in section("DuckDB", "sql"):
            for statement in filter(str.strip, block.split(";\n")):
                found = connection.execute(statement).fetchall()
                if statement.lstrip().startswith("SELECT"):
                    answers.append(found)
    hours, days, fields, states = answers
    assert dict(hours) == pytest.approx(hourly(readings, from_the_log()))
    assert {day: starts for day, starts, _ in days[1:]} == daily(readings, STARTS)
    assert {day: kwh for day, _, kwh in days[1:]} == pytest.approx(daily(readings, HEAT))
    assert {FLOW: "°C", HEAT: "kWh"}.items() <= dict(fields).items()
    assert dict(states) == state_counts(readings)


def test_duckdb_reads_shards_of_different_columns_compressed_or_not(
    desk: Path, readings: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert (desk / "data" / "shards" / "2026-01-06.2.csv").exists()
    found = run_python("DuckDB")
    assert dict(found["hourly"]) == pytest.approx(hourly(readings))
    assert dict(found["daily"][1:]) == daily(readings, STARTS)


def test_duckdb_loses_the_zone_of_a_time_that_is_read_as_a_plain_timestamp(desk: Path) -> None:
    answers = []
    for kind in ("TIMESTAMP", "TIMESTAMPTZ"):
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            source = f"read_csv('{desk / 'january.csv'}', types = {{'time': '{kind}'}})"
            (row,) = connection.sql(f"SELECT min(time AT TIME ZONE 'Europe/Berlin')::VARCHAR FROM {source}").fetchall()
        answers.append(row[0])
    assert answers == ["2026-01-05 10:00:00+00", "2026-01-05 12:00:00"]


def test_duckdb_reads_a_fleet_as_one_table_with_the_pump_of_each_row(
    fleet: tuple[Path, dict[str, list[Reading]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pumps = fleet
    monkeypatch.chdir(folder)
    (defining,) = (block for block in section("DuckDB", "python") if "def shards" in block)
    names: dict[str, Any] = {}
    exec(compile(defining.partition("\nreadings = ")[0], PAGE.name, "exec"), names)
    answers = run_python("Many pumps", names)["per_pump"]
    expected: dict[tuple[str, date], tuple[float, int]] = {}
    for name, some in pumps.items():
        for day in {wall(one).date() for one in some}:
            flows = [values(one.answer)[FLOW] for one in some if wall(one).date() == day]
            expected[name, day] = (sum(flows) / len(flows), len(flows))
    assert len(expected) == 40
    assert {(pump, day): (flow, count) for pump, day, flow, count in answers} == {
        which: pytest.approx(found) for which, found in expected.items()
    }


def test_german_export_opens_in_a_spreadsheet_as_the_page_says(desk: Path, readings: list[Reading]) -> None:
    text = (desk / "januar.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(text.decode("utf-8-sig").splitlines(), delimiter=";"))
    found = {row["local_time"]: float(row["Vorlauftemperatur [°C]"].replace(",", ".")) for row in rows}
    assert found == {
        str(hour): pytest.approx(mean, abs=0.0006) for hour, mean in hourly(readings, from_the_log()).items()
    }


def test_stata_file_has_utc_wall_time_and_value_labels_as_the_page_says(desk: Path, readings: list[Reading]) -> None:
    frame, meta = pyreadstat.read_dta(str(desk / "january.dta"), disable_datetime_conversion=True)
    assert meta.original_variable_types["time"] == meta.original_variable_types["local_time"] == "%tc"
    assert frame["local_time"][0] - frame["time"][0] == 3_600_000
    texts = meta.variable_value_labels[STATE]
    assert frame[STATE].map(texts).value_counts().to_dict() == state_counts(readings)
    assert max(map(len, frame.columns)) <= 32
