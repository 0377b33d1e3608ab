from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gap import DISK, HEADER, LOGGER_OFF, REASONS, Gap, between, decode, filled, holes

MOMENTS = st.integers(0, 4_000_000_000_000)
COUNTS = st.integers(0, 10**9)
NOON_MS = 1_767_610_800_000


@given(st.builds(Gap, MOMENTS, MOMENTS, COUNTS, COUNTS, st.sampled_from(REASONS), COUNTS, st.sampled_from(["", "log"])))
def test_line_gives_back_its_gap(gap: Gap) -> None:
    assert decode(gap.encode()) == gap
    assert gap.encode().count(",") == HEADER.count(",")
    assert list(gap.document()) == HEADER.rstrip("\n").split(",")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "2026-01-05T11:00:00.000Z,2026-01-05T11:01:00.000Z,1,1,disk,0,",
        "2026-01-05T11:00:00.000Z,2026-01-05T11:01:00.000Z,1,1,moon,0,\n",
        "2026-01-05T11:00:00.000Z,yesterday,1,1,disk,0,\n",
        "2026-01-05T11:00:00.000Z,2026-01-05T11:01:00.000Z,1,one,disk,0,\n",
        "2026-01-05T11:00:00.000Z,2026-01-05T11:01:00.000Z,1,1,disk,0,,\n",
    ],
)
def test_line_that_is_no_gap_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(line)


@pytest.mark.parametrize(("seconds", "missing"), [(0, 0), (30, 0), (44, 0), (46, 1), (60, 1), (90, 2), (3600, 119)])
def test_readings_further_apart_than_an_interval_have_polls_missing_between_them(seconds: int, missing: int) -> None:
    gap = between(1000, 1000 + seconds * 1000, 30, DISK)
    assert gap == (Gap(1000, 1000 + seconds * 1000, missing, missing, DISK) if missing else None)


def test_holes_of_rising_times_are_gaps() -> None:
    times = [0, 30_000, 60_000, 150_000, 180_000]
    assert holes(times, 30, LOGGER_OFF) == [Gap(60_000, 150_000, 2, 2, LOGGER_OFF)]


def test_polls_that_have_a_record_within_a_minute_are_filled() -> None:
    hour = Gap(0, 3_600_000, 119, 119, LOGGER_OFF)
    minutes = range(15_000, 3_600_000, 60_000)
    assert filled(hour, list(minutes)) == 119
    assert filled(hour, list(minutes)[:30]) == 60
    assert filled(hour, []) == filled(Gap(0, 1, 0, 0, DISK), [0]) == 0
    assert filled(Gap(0, 600_000, 1, 1, DISK), [300_000]) == 1
    assert filled(Gap(0, 600_000, 1, 1, DISK), [239_000]) == 0
    assert filled(Gap(0, 600_000, 1, 1, DISK), [240_000]) == filled(Gap(0, 600_000, 1, 1, DISK), [360_000]) == 1


@given(
    length_ms=st.integers(1, 2_000_000),
    missing=st.integers(0, 200),
    times=st.lists(st.integers(-100_000, 2_100_000), max_size=12).map(sorted),
)
def test_filled_polls_are_those_of_a_plain_count(length_ms: int, missing: int, times: list[int]) -> None:
    moments = [NOON_MS + Fraction(n * length_ms, missing + 1) for n in range(1, missing + 1)]
    near = [any(abs(NOON_MS + each - moment) <= 60_500 for each in times) for moment in moments]
    gap = Gap(NOON_MS, NOON_MS + length_ms, missing, missing, DISK)
    assert filled(gap, [NOON_MS + each for each in times]) == sum(near)


def test_gap_without_length_is_filled_by_what_stands_beside_it() -> None:
    assert [filled(Gap(0, 0, 2, 2, DISK), times) for times in ([], [60_500], [60_501])] == [0, 2, 0]


def test_effort_follows_the_records_and_not_the_length_of_the_gap() -> None:
    polls = 10**12
    assert filled(Gap(0, polls * 5000, polls - 1, polls - 1, DISK), [60_000, 120_000]) == 36
