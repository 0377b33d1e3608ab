"""The names of shard parts, and how they are found."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.part import Part, list_parts, parse_name


@pytest.mark.parametrize("number", [1, 2, 10])
def test_part_is_found_by_its_own_name(number: int) -> None:
    part = Part(date(2026, 1, 5), number)
    assert parse_name(part.name) == part
    assert parse_name(part.name + ".gz") == part


@pytest.mark.parametrize(
    "name",
    [
        "2026-01-05.1.csv",
        "2026-01-05.0.csv",
        "2026-02-30.csv",
        "2026-01-05.log.csv",
        "x2026-01-05.csv",
        "2026-01-05.csv.tmp",
    ],
)
def test_foreign_name_is_no_part(name: str) -> None:
    assert parse_name(name) is None


def test_plain_file_counts_where_a_compressed_one_stands_beside_it(tmp_path: Path) -> None:
    for name in ("2026-01-05.csv.gz", "2026-01-05.csv", "2026-01-06.csv.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in list_parts(tmp_path).values()] == ["2026-01-05.csv", "2026-01-06.csv.gz"]


def test_folder_that_is_not_there_has_no_parts(tmp_path: Path) -> None:
    assert list_parts(tmp_path / "none") == {}
