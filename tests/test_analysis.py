"""Runs the examples of docs/analysis.md on real shards and exports, and compares what they find with the readings."""

from __future__ import annotations

import csv
import gzip
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyreadstat
import pytest

from pipeline import cli, export_command, settings
from pipeline.clock import local_label, to_ms
from pipeline.compress import compress
from pipeline.reading import Answer, Reading
from pipeline.sensors import values
from tests.parts import BERLIN, NOON, open_shards
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "analysis.md"
FLOW, STARTS, HEAT, STATE = (
    "ID_WEB_Temperatur_TVL",
    "ID_WEB_Zaehler_BetrZeitImpVD1",
    "ID_WEB_WMZ_Heizung",
    "ID_WEB_WP_BZ_akt",
)
STATES = ("heating", "hot water", "no request")
EVERY = timedelta(minutes=10)
R_SCRIPT = shutil.which("Rscript")


def polled(n: int, *, pump: int = 0, updated: bool = False) -> Reading:
    """The n-th reading of a pump, with values that only it has; an updated controller answers more."""
    moment = NOON + n * EVERY
    letters = "V3.89" if updated else "V3.88"
    raws = [0] * (165 if updated else 160)
    raws[10], raws[57], raws[151] = 300 + n * 7 % 100 + pump, 1000 + pump + n // 5, 5000 + n * (pump + 1)
    raws[78], raws[80] = 58, (0, 1, 5)[n // 6 % 3]
    raws[81 : 81 + len(letters)] = map(ord, letters)
    return Reading(to_ms(moment), *local_label(moment, BERLIN), Answer((n, 7), tuple(raws), (1, 0)))


def wall(one: Reading) -> datetime:
    return one.time.astimezone(BERLIN)


def hourly(readings: Sequence[Reading]) -> dict[datetime, float]:
    """The mean flow temperature of each wall hour."""
    found: dict[datetime, list[float]] = {}
    for one in readings:
        found.setdefault(wall(one).replace(minute=0, tzinfo=None), []).append(values(one.answer)[FLOW])
    return {hour: sum(some) / len(some) for hour, some in found.items()}


def daily(readings: Sequence[Reading], name: str) -> dict[date, float]:
    """What a counter counted on each local day but the first."""
    last = {wall(one).date(): values(one.answer)[name] for one in readings}
    return {day: last[day] - last[before] for before, day in pairwise(sorted(last))}


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """Four local days; the controller is updated in the second one."""
    return [polled(n, updated=n > 110) for n in range(3 * 144)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, readings: list[Reading]) -> Path:
    """A folder as the page has it: shards with all that can be odd in them, and exports."""
    folder = tmp_path_factory.mktemp("desk")
    open_shards(folder / "data").append(readings)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chosen = settings.load({"LUX_DATA_DIR": "data", "LUX_TIMEZONE": BERLIN.key})
        for line in "".join(blocks(PAGE, "sh")).splitlines():
            words = shlex.split(line.partition("-m pipeline ")[2])
            export_command.run(cli._parser().parse_args(words), chosen)
    make_odd(folder / "data" / "shards")
    return folder


def make_odd(shards: Path) -> None:
    """A compressed part, one beside an older compressed one, a bad line, and one that is being written."""
    compress(shards / "2026-01-05.csv")
    plain = shards / "2026-01-07.csv"
    header, *lines = plain.read_bytes().splitlines(keepends=True)
    with gzip.open(shards / "2026-01-07.csv.gz", "wb") as file:
        file.writelines([header, *lines[:50]])
    plain.write_bytes(b"".join([header, *lines[:20], lines[20][:60] + b"\n", *lines[20:]]))
    with (shards / "2026-01-08.csv").open("ab") as file:
        file.write(lines[-1][:70].replace(b"01-07", b"01-08"))


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


def section(title: str, language: str) -> list[str]:
    """The examples in a language below a heading of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = [block for block in blocks(PAGE, language) if block in text]
    assert found, title
    return found


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


def state_counts(readings: Sequence[Reading]) -> dict[str, int]:
    texts = {0: "heating", 1: "hot water", 5: "no request"}
    found = [texts[one.answer.calculations[80]] for one in readings]
    return {text: found.count(text) for text in STATES}


def test_pandas_examples_find_what_the_pump_said(
    desk: Path, readings: list[Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    found = run_python("pandas")
    assert as_hours(found["hourly"]) == pytest.approx(hourly(readings))
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
    assert dict(hours) == pytest.approx(hourly(readings))
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
    assert found == {str(hour): pytest.approx(mean, abs=0.0006) for hour, mean in hourly(readings).items()}


def test_stata_file_has_utc_wall_time_and_value_labels_as_the_page_says(desk: Path, readings: list[Reading]) -> None:
    frame, meta = pyreadstat.read_dta(str(desk / "january.dta"), disable_datetime_conversion=True)
    assert meta.original_variable_types["time"] == meta.original_variable_types["local_time"] == "%tc"
    assert frame["local_time"][0] - frame["time"][0] == 3_600_000
    texts = meta.variable_value_labels[STATE]
    assert frame[STATE].map(texts).value_counts().to_dict() == state_counts(readings)
    assert max(map(len, frame.columns)) <= 32


def run_r(desk: Path, blocks: Sequence[str]) -> str:
    command = [R_SCRIPT or "Rscript", "--vanilla", "-"]
    done = subprocess.run(command, cwd=desk, input="\n".join(blocks), capture_output=True, text=True, timeout=9)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_base_r(desk: Path, readings: list[Reading]) -> None:
    printed = run_r(desk, section("R", "r")[:1]).split()
    assert all(f"{value:g}" in printed for value in daily(readings, STARTS).values())


#: What is run only where the program is there.
OTHERS: dict[str, Callable[[Path, list[Reading]], None]] = {"R": check_base_r} if R_SCRIPT else {}


def test_examples_of_other_programs_that_are_here_run(desk: Path, readings: list[Reading]) -> None:
    for check in OTHERS.values():
        check(desk, readings)
