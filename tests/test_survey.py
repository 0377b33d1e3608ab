"""Which lines of a shard part are whole, and which of them rise."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.part import DAMAGE
from pipeline.survey import line_time, longest_rising, survey

LINE = b"2026-01-05T11:00:00.000Z,2026-01-05 12:00:00,live,21.5,-3,\n"


@pytest.mark.parametrize("length", [5, 30, 60])
def test_compressed_part_that_ends_in_front_of_its_rows_has_none(length: int) -> None:
    packed = gzip.compress(b"time,local_time,source," + b"abcdefgh," * 20 + b"\n" + LINE)
    with gzip.open(io.BytesIO(packed[:length])) as file:
        found = survey(cast("BinaryIO", file), 6, 204)
    assert isinstance(found.damage, DAMAGE)
    assert (found.good, found.bad, found.size) == ([], [], found.end)


@pytest.mark.parametrize(
    "line",
    [
        LINE[:-1],
        LINE.replace(b"21.5", b"21,5"),
        LINE.replace(b"21.5", b"\0\0\0\0"),
        LINE.replace(b"21.5", b"21#5"),
        LINE.replace(b"T11", b"T31"),
        LINE.replace(b".000Z", b".0000"),
        b"\n",
        b"",
    ],
)
def test_line_that_is_not_whole_has_no_time(line: bytes) -> None:
    assert line_time(LINE, 6) == 1767610800000
    assert line_time(line, 6) is None


@given(st.lists(st.integers(0, 60), max_size=40))
def test_longest_rising_choice_rises_and_none_is_longer(times: list[int]) -> None:
    keep = sorted(longest_rising(times))
    chosen = [times[i] for i in keep]
    assert all(a < b for a, b in pairwise(chosen))
    longest = [1] * len(times)
    for i, time in enumerate(times):
        longest[i] = 1 + max((longest[j] for j in range(i) if times[j] < time), default=0)
    assert len(chosen) == max(longest, default=0)


def test_survey_tells_good_lines_bad_pieces_and_the_bad_tail_apart() -> None:
    second, third = (LINE.replace(b"T11:00:00", b"T11:00:%02d" % s) for s in (1, 2))
    body = b"head\n" + LINE + b"\0\0bad\n" + second + third[:20]
    found = survey(io.BytesIO(body), 6, 5)
    assert [line.offset for line in found.good] == [5, 5 + len(LINE) + 6]
    assert found.bad == [(5 + len(LINE), 6)]
    assert body[found.end : found.size] == third[:20]


def test_one_line_with_a_mistaken_future_time_does_not_condemn_the_lines_after_it() -> None:
    lines = [LINE.replace(b"T11:00:00", b"T11:00:%02d" % s) for s in range(5)]
    lines[1] = lines[1].replace(b"T11", b"T23")
    found = survey(io.BytesIO(b"".join(lines)), 6, 0)
    assert [line.offset // len(LINE) for line in found.good] == [0, 2, 3, 4]
    assert found.bad == [(len(LINE), len(LINE))]
