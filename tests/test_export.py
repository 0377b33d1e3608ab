"""Exports of real shards, opened again by the programs that people use."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import frictionless
import numpy as np
import pandas as pd
import pyreadstat
import pytest

from pipeline import labels, stata_file, table
from pipeline.clock import from_ms, local_text, utc_text
from pipeline.columns import Columns
from pipeline.compress import compress
from pipeline.errors import ExistsError, QueryError
from pipeline.part import list_parts
from pipeline.reading import Reading
from pipeline.sensors import sensor, values
from stages.export import FORMS, Export, Request
from tests.parts import NOON, open_shards, reading
from tests.test_archive import FLOW, HOURS, add_all, archive, fill

#: Two days and a half from noon on, so that four local days have a part.
WHOLE = Request(NOON - HOURS, NOON + 100 * HOURS)


def export(folder: Path, request: Request, name: str = "out", *, force: bool = False) -> Path:
    target = folder / f"{name}.{request.form}"
    stage = Export(archive(folder), {"version": "1", "timezone": "Europe/Berlin"})
    stage.to_file(request, target, force=force, progress=lambda done, total: None)
    return target


def lines(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def ordered(readings: Sequence[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda one: one.time_ms)


def lead(one: Reading) -> tuple[str, str]:
    return utc_text(one.time_ms), local_text(one.time_ms, one.offset_s)


@pytest.mark.parametrize("archived", [0, 2, 4])
def test_csv_of_everything_is_the_shards_byte_for_byte(tmp_path: Path, archived: int) -> None:
    fill(tmp_path, 3)
    found = archive(tmp_path)
    for day in found.due()[:archived]:
        found.add(day)
    parts = [path.read_bytes() for path in list_parts(tmp_path / "shards").values()]
    header = parts[0].partition(b"\n")[0]
    for path in list(list_parts(tmp_path / "shards").values())[:2]:
        compress(path)
    expected = b"\n".join([header, *(part.partition(b"\n")[2].rstrip(b"\n") for part in parts), b""])
    assert export(tmp_path, WHOLE).read_bytes() == expected


@pytest.mark.parametrize(("begin_h", "end_h"), [(0, 1), (5, 31), (11, 35), (60, 80)])
def test_window_has_the_readings_from_its_start_up_to_its_end(tmp_path: Path, begin_h: int, end_h: int) -> None:
    readings = fill(tmp_path, 3)
    add_all(archive(tmp_path))
    start, end = NOON + begin_h * HOURS, NOON + end_h * HOURS
    path = export(tmp_path, Request(start, end, patterns=(FLOW,)))
    rows = lines(path)
    inside = [one for one in ordered(readings) if start <= from_ms(one.time_ms) < end]
    assert rows == [
        ["time", "local_time", "source", FLOW],
        *([*lead(one), "live", f"{values(one.answer)[FLOW]:g}"] for one in inside),
    ]


def test_schema_that_changes_in_mid_day_leaves_blanks_and_another_scale_gets_a_column_of_its_own(
    tmp_path: Path,
) -> None:
    narrow = [reading(600 * i, i, calculations=120) for i in range(20)]
    wide = [reading(600 * i + 300, 100 + i, letters="V3.90") for i in range(20)]
    shards = open_shards(tmp_path)
    shards.append(narrow)
    shards.append(wide)
    far = sensor("calculations", 130).name
    rescaled = archive(tmp_path)
    real = rescaled._read

    def changed(day: date) -> tuple[Columns, Sequence[str]]:
        columns, schemas = real(day)
        told = {(replace(s, divisor=100) if s.name == FLOW else s): c for s, c in columns.columns.items()}
        return replace(columns, columns=told), schemas

    for count, header in ((1, [FLOW, far]), (2, [FLOW, f"{FLOW}.2", far])):
        path = export(tmp_path, replace(WHOLE, patterns=(FLOW, far)), force=True)
        rows = lines(path)
        assert rows[0][3:] == header
        assert [row[-1] for row in rows[1:41]] == ["", "0"] * 20
        assert all(len(row) == len(rows[0]) for row in rows)
        if count == 1:
            open_shards(tmp_path).append([reading(2 * 86_400, 7)])
            rescaled._read = changed
            rescaled.add(date(2026, 1, 7))


def test_german_csv_opens_in_a_german_spreadsheet(tmp_path: Path) -> None:
    readings = fill(tmp_path, 1)
    path = export(tmp_path, replace(WHOLE, patterns=(FLOW, "calculation_9"), german=True, language="de"))
    frame = pd.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(frame.columns) == ["time", "local_time", "source", "Vorlauftemperatur [°C]", "calculation_9"]
    assert frame["Vorlauftemperatur [°C]"].tolist() == [values(one.answer)[FLOW] for one in ordered(readings)]


def test_json_is_one_document_that_makes_a_frame(tmp_path: Path) -> None:
    readings = fill(tmp_path, 1)
    path = export(tmp_path, replace(WHOLE, patterns=(FLOW,), form="json", language="en"))
    document = json.loads(path.read_text(encoding="utf-8"))
    frame = pd.DataFrame(document["data"], columns=document["columns"])
    assert list(frame.columns) == ["time", "local_time", "source", "Flow temperature [°C]"]
    assert frame.to_numpy().tolist() == [[*lead(one), "live", values(one.answer)[FLOW]] for one in ordered(readings)]
    assert document["metadata"]["timezone"] == "Europe/Berlin"
    assert [field["name"] for field in document["metadata"]["fields"]] == document["columns"]


def test_json_lines_are_objects_with_nothing_for_what_is_missing(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0, 215, calculations=120), reading(30, 216)])
    far = sensor("calculations", 130).name
    path = export(tmp_path, replace(WHOLE, patterns=(FLOW, far), form="jsonl"))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row[FLOW], row[far]) for row in rows] == [(21.5, None), (21.6, 0)]
    assert list(rows[0]) == ["time", "local_time", "source", FLOW, far]


def test_stata_file_has_the_schema_and_values_of_the_readings(tmp_path: Path) -> None:
    mode = sensor("calculations", 80)
    long = sensor("calculations", 78)
    readings = [reading(30 * i, i - 5, calculations=120 if i < 3 else 140) for i in range(40)]
    open_shards(tmp_path).append(readings)
    far = sensor("calculations", 130).name
    patterns = (FLOW, mode.name, long.name, far, "ID_WEB_Temperatur_*")
    path = export(tmp_path, replace(WHOLE, patterns=patterns, form="dta", language="en"))
    frame, told = pyreadstat.read_dta(str(path))
    assert list(frame.columns[:7]) == ["time", "local_time", "source", FLOW, mode.name, long.name, far]
    assert frame[FLOW].tolist() == [values(one.answer)[FLOW] for one in readings]
    assert np.isnan(frame[far][:3]).all()
    assert (frame[far][3:] == 0).all()
    assert told.column_names_to_labels[FLOW] == f"{FLOW}: Flow temperature [°C]"
    assert told.column_names_to_labels["time"] == "UTC"
    assert told.original_variable_types["time"] == "%tc"
    assert told.variable_value_labels[mode.name] == dict(mode.codes)
    again = pd.read_stata(path, convert_categoricals=False)
    assert again["time"].tolist() == [from_ms(one.time_ms).replace(tzinfo=None) for one in readings]
    assert again["local_time"].dt.strftime("%Y-%m-%d %H:%M:%S").tolist() == [lead(one)[1] for one in readings]
    assert again[FLOW].tolist() == frame[FLOW].tolist()
    assert set(frame["source"]) == {"live"}


def test_stata_names_are_valid_and_unique() -> None:
    one = sensor("calculations", 10)
    odd = ["ID_Einst_" + "x" * 40, "ID_Einst_" + "x" * 41, "2nd", "Vorlauf °C", "a.2", "a_2"]
    found = stata_file.variable_names([table.Field(name, one) for name in odd])
    assert found == ["ID_Einst_" + "x" * 23, "ID_Einst_" + "x" * 21 + "_2", "_2nd", "Vorlauf__C", "a_2", "a_2_2"]
    assert all(len(name) <= 32 for name in found)


def test_stata_file_that_does_not_fit_is_refused_with_what_would_fit() -> None:
    stata_file.check(2880, 1733, 1)
    with pytest.raises(
        QueryError, match=r"1733 sensors and 1051200 rows needs \d+ MB.*sensors over these 365 days fit"
    ):
        stata_file.check(365 * 2880, 1733, 365)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step_ms", [None, 3_600_000])
def test_every_export_has_a_data_dictionary_that_fits_it(tmp_path: Path, form: str, step_ms: int | None) -> None:
    fill(tmp_path, 1)
    german = form == "csv"
    patterns = (FLOW, "ID_WEB_WP_BZ_akt", "ID_WEB_Zaehler_*")
    request = replace(WHOLE, patterns=patterns, form=form, step_ms=step_ms, german=german)
    path = export(tmp_path, request)
    described = path.with_name(path.name + ".datapackage.json")
    package = frictionless.Package(str(described))
    (resource,) = package.resources
    names = [field.name for field in resource.schema.fields]
    assert names[:4] == ["time", "local_time", "readings" if step_ms else "source", FLOW]
    document = json.loads(described.read_text(encoding="utf-8"))
    fields = {field["name"]: field for field in document["resources"][0]["schema"]["fields"]}
    assert (fields[FLOW]["unit"], fields[FLOW]["title"]) == ("°C", "Flow temperature")
    assert fields[FLOW].get("reduction") == ("mean" if step_ms else None)
    if form != "dta":
        report = package.validate()
        assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])[:5]
        (rows,) = frictionless.extract(str(described)).values()
        assert len(rows) == (24 if step_ms else 144)


def test_steps_have_one_row_each_and_nothing_for_a_gap(tmp_path: Path) -> None:
    readings = [reading(60 * i, i) for i in range(60) if not 15 <= i < 30]
    open_shards(tmp_path).append(readings)
    path = export(tmp_path, replace(WHOLE, patterns=(FLOW,), step_ms=15 * 60_000))
    rows = lines(path)
    assert rows[0] == ["time", "local_time", "readings", FLOW]
    assert [row[1:] for row in rows[1:]] == [
        ["2026-01-05 12:00:00", "15", "0.7"],
        ["2026-01-05 12:30:00", "15", "3.7"],
        ["2026-01-05 12:45:00", "15", "5.2"],
    ]


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
def test_nights_on_which_the_clocks_change_lose_and_double_nothing(tmp_path: Path, day: datetime) -> None:
    first_s = (day - NOON).total_seconds()
    readings = [reading(first_s + 300 * i, i) for i in range(6 * 12)]
    open_shards(tmp_path).append(readings)
    found = archive(tmp_path)
    for _ in range(2):
        request = Request(day, day + 30 * HOURS, patterns=(FLOW,))
        rows = lines(export(tmp_path, request, force=True))
        assert [tuple(row[:2]) for row in rows[1:]] == [lead(one) for one in readings]
        hourly = export(tmp_path, replace(request, step_ms=3_600_000), force=True).read_text(encoding="utf-8")
        assert [line.split(",")[2] for line in hourly.splitlines()[1:]] == ["12"] * 6
        add_all(found)


def test_file_that_is_there_is_kept_unless_it_is_forced(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    path = export(tmp_path, WHOLE)
    path.write_bytes(b"mine")
    with pytest.raises(ExistsError, match="is there already"):
        export(tmp_path, WHOLE)
    assert path.read_bytes() == b"mine"
    export(tmp_path, WHOLE, force=True)
    path.unlink()
    with pytest.raises(ExistsError, match="datapackage"):
        export(tmp_path, WHOLE)


@pytest.mark.parametrize("form", FORMS)
def test_export_that_breaks_off_leaves_nothing(tmp_path: Path, form: str) -> None:
    fill(tmp_path, 2)

    def broken_off(done: float, total: float) -> None:
        if done == 2:
            raise KeyboardInterrupt

    stage = Export(archive(tmp_path), {})
    (tmp_path / "made").mkdir()
    with pytest.raises(KeyboardInterrupt):
        stage.to_file(replace(WHOLE, form=form), tmp_path / "made" / "out", force=False, progress=broken_off)
    assert list((tmp_path / "made").iterdir()) == []


def test_window_without_readings_is_told_and_makes_no_file(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    for request in (Request(NOON - 500 * HOURS, NOON - 400 * HOURS), Request(NOON + HOURS / 8, NOON + HOURS / 7)):
        for _ in range(2):
            with pytest.raises(QueryError, match="no readings from 20"):
                export(tmp_path, request)
            add_all(archive(tmp_path))
    assert not (tmp_path / "out.csv").exists()


def test_export_of_a_damaged_archive_is_that_of_the_shards(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    plain = export(tmp_path, WHOLE, "plain").read_bytes()
    add_all(archive(tmp_path))
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db", isolation_level=None)) as connection:
        connection.execute("UPDATE day SET offsets = zeroblob(9)")
    assert export(tmp_path, WHOLE, "damaged").read_bytes() == plain


def test_running_service_carries_no_pandas() -> None:
    code = "import sys, pipeline.service, stages.export; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_import_of_the_service_starts_no_thread() -> None:
    code = "import os, sys, pipeline.service; sys.exit(len(os.listdir('/proc/self/task')) - 1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_labels_and_units_name_one_column_each(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    for language in labels.LANGUAGES:
        header = lines(export(tmp_path, replace(WHOLE, language=language), force=True))[0]
        assert len(set(header)) == len(header)
