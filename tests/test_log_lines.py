"""Which rows of a log part count: those that no live row stands near, wherever that stands."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline import log_lines, log_part
from pipeline.catalog import Catalog
from pipeline.clock import to_ms
from pipeline.compress import compress
from pipeline.part import list_parts
from tests.logged import DAY, log_day, log_row
from tests.parts import NOON, open_shards, reading


def counted(folder: Path, day: date = DAY) -> list[float]:
    """Seconds after noon of the rows that count."""
    found = log_lines.counted(folder / "shards", day, list_parts(folder / "shards"))
    assert found is not None
    return [(time_ms - to_ms(NOON)) / 1000 for time_ms in found.times_ms]


def lay(folder: Path, live: list[float], logged: list[float], interval_ms: int = 30_000) -> None:
    open_shards(folder).append([reading(at) for at in live])
    publish(folder, logged, interval_ms)


def publish(folder: Path, logged: list[float], interval_ms: int = 30_000) -> None:
    one = log_day(*map(log_row, logged), interval_ms=interval_ms)
    log_part.publish(folder / "shards", Catalog(folder / "shards"), one)


def test_row_counts_where_no_live_row_is_nearer_than_the_interval(tmp_path: Path) -> None:
    lay(tmp_path, [0, 600], [-30, -29.999, 0, 29.999, 30, 300, 570, 570.001, 630])
    assert counted(tmp_path) == [-30, 30, 300, 570, 630]


def test_live_row_of_a_further_part_or_of_the_neighbouring_day_stands_near_too(tmp_path: Path) -> None:
    midnight = 12 * 3600
    lay(tmp_path, [600, 900, 300, midnight + 5], [290, 400, midnight - 30, midnight - 20])
    assert len(list_parts(tmp_path / "shards")) == 3
    assert counted(tmp_path) == [400, midnight - 30]


def test_day_without_a_live_row_has_all_of_its_own(tmp_path: Path) -> None:
    lay(tmp_path, [-5 * 86_400], [0, 60])
    assert counted(tmp_path) == [0, 60]


def test_live_row_that_comes_late_takes_the_place(tmp_path: Path) -> None:
    lay(tmp_path, [0], [60, 120])
    open_shards(tmp_path).append([reading(61)])
    assert counted(tmp_path) == [120]


@pytest.mark.parametrize("what", ["live", "log", "both"])
def test_compressed_parts_are_looked_at_alike(tmp_path: Path, what: str) -> None:
    lay(tmp_path, [0, 600], [-30, 10, 300, 590])
    for path in (tmp_path / "shards").glob("*.csv"):
        if what == "both" or (what == "log") is (".log" in path.name):
            compress(path)
    assert counted(tmp_path) == [-30, 300]


@pytest.mark.parametrize("piece", [slice(0, 60), slice(0, 12), slice(30, None)])
def test_bad_line_of_a_live_part_covers_nothing(tmp_path: Path, piece: slice) -> None:
    lay(tmp_path, [0, 300, 600], [20, 280, 590])
    path = tmp_path / "shards" / f"{DAY}.csv"
    header, first, torn, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([header, first, torn.rstrip()[piece] + b"\n", last]))
    assert counted(tmp_path) == [280]


def test_live_part_that_just_gets_a_line_is_read_to_its_last_whole_one(tmp_path: Path) -> None:
    lay(tmp_path, [0, 300], [20, 280])
    path = tmp_path / "shards" / f"{DAY}.csv"
    path.write_bytes(path.read_bytes()[:-5])
    assert counted(tmp_path) == [280]


def test_another_interval_beside_the_part_makes_other_rows_count(tmp_path: Path) -> None:
    lay(tmp_path, [0], [20, 60], interval_ms=10_000)
    assert counted(tmp_path) == [20, 60]
    before = log_lines.read(tmp_path / "shards", DAY)
    publish(tmp_path, [20, 60], interval_ms=61_000)
    assert counted(tmp_path) == []
    after = log_lines.read(tmp_path / "shards", DAY)
    assert before
    assert after
    assert before.digest != after.digest


@examples(max_examples=60)
@given(
    st.lists(st.integers(-2000, 2000), max_size=12, unique=True),
    st.lists(st.integers(-2000, 2000), min_size=1, max_size=12, unique=True),
    st.integers(1, 400),
    st.booleans(),
)
def test_what_counts_is_what_a_look_at_every_pair_finds(
    tmp_path_factory: pytest.TempPathFactory, live: list[int], logged: list[int], interval_s: int, sort: bool
) -> None:
    folder = tmp_path_factory.mktemp("near")
    # Around midnight: two days, and further parts where a time falls.
    shift = 12 * 3600
    given_live = [float(at + shift) for at in (sorted(live) if sort else live)]
    open_shards(folder).append([reading(at, n) for n, at in enumerate(given_live)])
    days = {DAY: [at for at in logged if at < 0], DAY + timedelta(days=1): [at for at in logged if at >= 0]}
    stored = {float(at) for at in given_live}
    for day, some in days.items():
        rows = [log_row(at + shift) for at in sorted(some)]
        one = log_day(*rows, day=day, interval_ms=interval_s * 1000)
        log_part.publish(folder / "shards", Catalog(folder / "shards"), one)
        if rows:
            wanted = [at + shift for at in sorted(some) if all(abs(at + shift - each) >= interval_s for each in stored)]
            assert [round(at) for at in counted(folder, day)] == wanted
