"""The command `processlog`: what it prints of a log, and what it says of a file that is none."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.commands.processlog import rows
from pipeline.processlog import decode
from pipeline.simulator_fields import Analogue, Category, Definition, Digital, record, whole
from pipeline.stop import Stop
from tests import process_logs
from tests.process_logs import END_S, NOW, V1, V3


def _table(capsys: pytest.CaptureFixture[str], file: Path) -> list[dict[str, str]]:
    assert main(["processlog", str(file)], Stop()) == 0
    out, errors = capsys.readouterr()
    assert errors == ""
    return list(csv.DictReader(io.StringIO(out)))


def test_log_of_v1_is_printed_in_degrees(capsys: pytest.CaptureFixture[str]) -> None:
    table = _table(capsys, process_logs.path(V1))
    assert len(table) == 2880
    flow = "Text_Grundplatine: TVL (°C)"
    assert [(row["time"], row[flow]) for row in (table[0], table[-1])] == [
        ("2022-03-31T08:41:52.000Z", "54.9"),
        ("2022-04-02T08:40:50.000Z", "39.1"),
    ]
    assert table[0]["Text_Grundplatine: EVUin"] == "1"
    assert table[0]["Text_Anlagenstatus: Text_SW_Stand"] == "1862"


def test_log_of_v3_is_printed_with_pressures_in_bar_and_what_is_not_known_as_it_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = _table(capsys, process_logs.path(V3))
    assert len(table[0]) == 1 + 117
    assert table[-1]["Text_Heizkreis: Text_Vorlauf (°C)"] == "36.8"
    assert 5 < float(table[0]["ChD_Kae_Kreis: Text_HD (bar)"]) < 40
    assert {row["ChD_Kae_Kreis: Text_HD"] for row in table} <= {"0", "1"}
    assert table[0]["Text_Anlagenstatus: Text_SW_Stand"] == "3871"


def _header(*defined: Definition) -> list[str]:
    return list(next(rows(decode(whole(defined, []), NOW))))


def test_fields_of_one_name_have_columns_of_their_own() -> None:
    assert _header(Category("A"), Analogue("x"), Digital(("x", "y"))) == [
        "time",
        "A: x, analogue",
        "A: x, input",
        "A: y",
    ]
    assert _header(Category("A"), Analogue("x"), Analogue("x")) == ["time", "1 A: x, analogue", "2 A: x, analogue"]


def test_log_without_fields_is_a_column_of_times() -> None:
    log = decode(whole([], [record(END_S, [])]), NOW)
    assert list(rows(log)) == [["time"], ("2026-01-15T12:00:00.000Z",)]


def test_file_that_is_no_log_is_named_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(b"<html>not here</html>")
    assert main(["processlog", str(file)], Stop()) == 1
    assert capsys.readouterr() == ("", f"{file}: no process log: it does not begin with 9003\n")


def test_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["processlog", str(tmp_path / "gone")], Stop()) == 1
    assert capsys.readouterr() == ("", f"No such file or directory: {tmp_path / 'gone'}\n")


def test_closed_standard_output_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main(["processlog", "any"], Stop()) == 1
    assert capsys.readouterr().err == "standard output is closed\n"
