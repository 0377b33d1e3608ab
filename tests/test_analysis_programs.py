"""Runs the examples of docs/analysis.md for R and LibreOffice, and compares what they find with the readings."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.reading import Reading
from pipeline.sensors import values
from tests import desk as desks
from tests.desk import FLOW, HEAT, PAGE, STARTS, STATES, daily, from_the_log, hourly, section, state_counts, wall
from tests.test_docs import blocks

R_PACKAGES = ("readr", "jsonlite", "haven", "data.table")
R_INSTALL = "sudo apt install r-base-core " + " ".join(f"r-cran-{name}" for name in R_PACKAGES)

#: Names of the cells in a spreadsheet of LibreOffice.
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    return desks.four_days()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, readings: list[Reading]) -> Path:
    return desks.lay(tmp_path_factory.mktemp("desk"), readings)


@pytest.fixture(scope="module")
def r_script() -> str:
    """R with the packages of the examples; a test waits for it where one of them is missing."""
    found = shutil.which("Rscript")
    if not found:
        pytest.skip(f"no R: {R_INSTALL}")
    wanted = ", ".join(f"'{name}'" for name in R_PACKAGES)
    ask = f"cat(setdiff(c({wanted}), rownames(installed.packages())))"
    missing = subprocess.run([found, "--vanilla", "-e", ask], capture_output=True, text=True, check=True).stdout
    if missing:
        pytest.skip(f"R lacks {missing}: {R_INSTALL}")
    return found


def run_r(r_script: str, desk: Path, examples: Sequence[str], **wanted: str) -> dict[str, Any]:
    """What R finds for some expressions, by name, after the examples."""
    answers = ", ".join(f"{name} = {expression}" for name, expression in wanted.items())
    ask = f"cat('\\nfound:', jsonlite::toJSON(list({answers}), digits = NA, na = 'null'))"
    script = "\n".join([*examples, ask])
    done = subprocess.run([r_script, "--vanilla", "-"], cwd=desk, input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.rpartition("\nfound: ")[2])
    return found


def by_hour(rows: Iterator[tuple[str, float]]) -> dict[datetime, float]:
    return {datetime.fromisoformat(hour): value for hour, value in rows}


def by_day(rows: Iterator[tuple[str, float]]) -> dict[date, float]:
    return {date.fromisoformat(day): value for day, value in rows}


def test_r_reads_an_export_with_nothing_else(r_script: str, desk: Path, readings: list[Reading]) -> None:
    found = run_r(
        r_script,
        desk,
        section("R", "r")[:1],
        hours="names(hourly)",
        flows="unname(hourly)",
        days="names(daily)",
        starts="unname(daily)",
    )
    assert by_hour(zip(found["hours"], found["flows"], strict=True)) == pytest.approx(hourly(readings, from_the_log()))
    assert by_day(zip(found["days"], found["starts"], strict=True)) == daily(readings, STARTS)


def test_r_reads_times_data_dictionary_and_json(r_script: str, desk: Path, readings: list[Reading]) -> None:
    found = run_r(
        r_script,
        desk,
        section("R", "r")[:3],
        zone="attr(typed$time, 'tzone')",
        first="as.numeric(typed$time[1])",
        unit=f"fields[fields$name == '{HEAT}', 'unit']",
        states="as.list(states)",
        flows=f"hours${FLOW}",
        hours="hours$local_time",
    )
    assert found["zone"] == ["UTC"]
    assert found["first"] == [readings[0].time.timestamp()]
    assert found["unit"] == ["kWh"]
    assert {name: count for name, (count,) in found["states"].items()} == state_counts(readings)
    assert by_hour(zip(found["hours"], found["flows"], strict=True)) == pytest.approx(
        hourly(readings, from_the_log()), abs=0.0006
    )


def test_r_reads_a_stata_file(r_script: str, desk: Path, readings: list[Reading]) -> None:
    (example,) = (block for block in section("R", "r") if "library(haven)" in block)
    found = run_r(
        r_script,
        desk,
        [example],
        states="as.list(states)",
        first="as.numeric(stata$time[1])",
        label=f"attr(stata${FLOW}, 'label')",
    )
    assert {name: found["states"][name][0] for name in STATES} == state_counts(readings)
    assert found["first"] == [readings[0].time.timestamp()]
    assert "°C" in found["label"][0]


def test_r_reads_shards_of_different_columns_compressed_or_not(
    r_script: str, desk: Path, readings: list[Reading]
) -> None:
    (example,) = (block for block in section("R", "r") if "library(data.table)" in block)
    found = run_r(
        r_script,
        desk,
        [example],
        hours="hourly$hour",
        flows="hourly$flow",
        days="daily$day[-1]",
        starts="daily$starts[-1]",
    )
    assert by_hour(zip(found["hours"], found["flows"], strict=True)) == pytest.approx(hourly(readings))
    assert by_day(zip(found["days"], found["starts"], strict=True)) == daily(readings, STARTS)


@pytest.fixture(scope="module")
def soffice() -> str:
    """LibreOffice; a test waits for it where it is missing."""
    found = shutil.which("soffice")
    if not found:
        pytest.skip("no LibreOffice: sudo apt install libreoffice-calc-nogui")
    return found


def sheet(soffice: str, name: str, desk: Path, out: Path, more: str = "") -> list[list[Any]]:
    """The cells of the sheet that the page's command makes of a file, row by row: numbers, times and texts."""
    (line,) = (line for block in blocks(PAGE, "bash") for line in block.splitlines() if line.endswith(f" {name}"))
    program, *words = shlex.split(line.replace("true' ", f"true{more}' "))
    assert program == "soffice"
    profile = f"-env:UserInstallation={(out / 'profile').as_uri()}"
    subprocess.run([soffice, profile, *words, "--outdir", str(out)], cwd=desk, check=True, capture_output=True)
    with zipfile.ZipFile(out / Path(name).with_suffix(".ods").name) as file:
        content = ElementTree.fromstring(file.read("content.xml"))
    return [list(cells(row)) for row in content.iter(f"{_TABLE}table-row")]


def cells(row: ElementTree.Element) -> Iterator[Any]:
    for cell in row.iter(f"{_TABLE}table-cell"):
        kind = cell.get(f"{_OFFICE}value-type")
        value: Any = "".join(cell.itertext())
        if kind == "float":
            value = float(cell.get(f"{_OFFICE}value", ""))
        elif kind == "date":
            value = datetime.fromisoformat(cell.get(f"{_OFFICE}date-value", ""))
        yield from [value] * int(cell.get(f"{_TABLE}number-columns-repeated", "1"))


def column(rows: list[list[Any]], name: str) -> list[Any]:
    place = rows[0].index(name)
    return [row[place] for row in rows[1:] if len(row) > place]


def test_libreoffice_has_numbers_and_times_of_a_german_export(
    soffice: str, desk: Path, readings: list[Reading], tmp_path: Path
) -> None:
    rows = sheet(soffice, "januar.csv", desk, tmp_path)
    found = dict(zip(column(rows, "local_time"), column(rows, "Vorlauftemperatur [°C]"), strict=True))
    assert found == {hour: pytest.approx(mean, abs=0.0006) for hour, mean in hourly(readings, from_the_log()).items()}
    assert {type(time) for time in column(rows, "time")} == {str}


def test_libreoffice_has_numbers_and_times_of_a_shard(
    soffice: str, desk: Path, readings: list[Reading], tmp_path: Path
) -> None:
    rows = sheet(soffice, "data/shards/2026-01-06.csv", desk, tmp_path)
    found = dict(zip(column(rows, "local_time"), column(rows, FLOW), strict=True))
    day = {wall(one).replace(tzinfo=None): values(one.answer)[FLOW] for one in readings}
    assert len(found) > 30
    assert found.items() <= day.items()


def test_libreoffice_counts_what_a_day_had_with_the_formula_of_the_page(
    soffice: str, desk: Path, readings: list[Reading], tmp_path: Path
) -> None:
    found = re.search(r"column F,\nand `=F3-F2` in row 3", PAGE.read_text(encoding="utf-8"))
    assert found
    table = tmp_path / "with the formula" / "tage.csv"
    table.parent.mkdir()
    header, first, *lines = (desk / table.name).read_text(encoding="utf-8-sig").splitlines()
    copied = [f"{line};=F{row}-F{row - 1}" for row, line in enumerate(lines, start=3)]
    table.write_text("\n".join([f"{header};Tag", f"{first};", *copied]), encoding="utf-8-sig")
    # As on the page, and formulas are calculated, as in a cell that a person wrote.
    rows = sheet(soffice, table.name, table.parent, tmp_path, more=",false,false,false,1,true")
    assert rows[0][ord("F") - ord("A")] == "Wärmemenge Heizung [kWh]"
    counted = zip(column(rows, "local_time")[1:], column(rows, "Tag")[1:], strict=True)
    assert {day.date(): heat for day, heat in counted} == pytest.approx(daily(readings, HEAT))
