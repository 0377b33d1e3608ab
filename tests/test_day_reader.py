from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline import day_columns
from pipeline.catalog import Catalog
from pipeline.columns import Columns
from pipeline.day_reader import DayReader
from tests.parts import open_shards, reading

DAY = date(2026, 1, 5)


def same(found: Columns, wanted: Columns) -> bool:
    if found.times_ms.tolist() != wanted.times_ms.tolist() or found.columns.keys() != wanted.columns.keys():
        return False
    rows = len(found.times_ms)
    return all(
        np.array_equal(column.spread(rows)[column.mask(rows)], found.columns[sensor].spread(rows)[column.mask(rows)])
        and np.array_equal(column.mask(rows), found.columns[sensor].mask(rows))
        for sensor, column in wanted.columns.items()
    )


def check(reader: DayReader, folder: Path) -> int:
    """Compare what the reader gives with a plain read; gives the number of rows."""
    columns, schemas = reader.read(DAY)
    wanted, hashes = day_columns.read(folder, Catalog(folder), DAY)
    assert same(columns, wanted)
    assert schemas == hashes
    return len(columns.times_ms)


def test_day_that_grows_is_read_as_a_plain_read_gives_it(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    folder = tmp_path / "shards"
    reader = DayReader(folder, Catalog(folder))
    assert check(reader, folder) == 0
    for n in range(1, 6):
        shards.append([reading(60 * n, n)])
        assert check(reader, folder) == n


def test_rows_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = open_shards(tmp_path)
    folder = tmp_path / "shards"
    reader = DayReader(folder, Catalog(folder))
    shards.append([reading(60 * n, n) for n in range(100)])
    first, _ = reader.read(DAY)
    shards.append([reading(60 * 200, 7)])
    path = folder / f"{DAY}.csv"
    content = bytearray(path.read_bytes())
    middle = content.index(b"\n", len(content) // 2) + 30
    content[middle : middle + 1] = b"9"
    with path.open("r+b") as file:
        file.write(content)
    second, _ = reader.read(DAY)
    assert len(second.times_ms) == len(first.times_ms) + 1


@pytest.mark.parametrize("damage", ["cut", "replaced", "garbage", "gone"])
def test_part_that_is_not_what_it_was_is_read_anew(tmp_path: Path, damage: str) -> None:
    shards = open_shards(tmp_path)
    folder = tmp_path / "shards"
    reader = DayReader(folder, Catalog(folder))
    shards.append([reading(60 * n, n) for n in range(5)])
    assert check(reader, folder) == 5
    path = folder / f"{DAY}.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "cut":
        path.write_bytes(b"".join(lines[:-2]))
    elif damage == "replaced":
        other = path.with_name("other")
        later = [lines[-1].replace(b":04:", b":%d:" % minute, 2) for minute in (44, 45, 46)]
        other.write_bytes(b"".join([lines[0], *lines[2:], *later]))
        other.replace(path)
    elif damage == "garbage":
        path.write_bytes(b"".join(lines) + b"garbage\n" + lines[-1].replace(b":04:", b":44:", 1))
    else:
        path.unlink()
    assert check(reader, folder) == {"cut": 3, "replaced": 7, "garbage": 6, "gone": 0}[damage]
    assert check(reader, folder) == {"cut": 3, "replaced": 7, "garbage": 6, "gone": 0}[damage]


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    folder = tmp_path / "shards"
    reader = DayReader(folder, Catalog(folder))
    shards.append([reading(60 * n, n) for n in range(3)])
    path = folder / f"{DAY}.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert check(reader, folder) == 2
    path.write_bytes(whole)
    assert check(reader, folder) == 3


@examples(max_examples=25)
@given(st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=1, max_size=8))
def test_steps_of_the_clock_and_further_parts_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    shards = open_shards(folder)
    reader = DayReader(folder / "shards", Catalog(folder / "shards"))
    at_s = 3600
    for n, (step, look) in enumerate(steps):
        at_s += step
        shards.append([reading(at_s, n)])
        if look:
            check(reader, folder / "shards")
    assert check(reader, folder / "shards") == len(steps)
