from __future__ import annotations

import logging

import pytest

from pipeline.gap import CLOCK, DISK, PUMP_REFUSED, PUMP_SILENT, Gap
from pipeline.gap_watch import GapWatch

START = 1_000_000_000


def watch_with(*slots: tuple[float, str | int]) -> GapWatch:
    """A watch at 30 s that saw slots: seconds since the start with a reason, or with the wall clock's step in s."""
    watch = GapWatch(30)
    stepped = 0
    for at_s, what in slots:
        if isinstance(what, str):
            watch.missed(START + round((at_s + stepped) * 1000), at_s, 1, what)
        else:
            stepped += what
            watch.stored(START + round((at_s + stepped) * 1000), at_s)
    return watch


def gap(from_s: float, to_s: float, missing: int, reason: str) -> Gap:
    return Gap(START + round(from_s * 1000), START + round(to_s * 1000), missing, missing, reason)


def test_slots_that_all_gave_readings_make_no_gap() -> None:
    assert watch_with((0, 0), (30, 0), (75, 0), (90, 0)).closed() == []


def test_missing_slots_are_a_gap_between_the_readings_around_them() -> None:
    watch = watch_with((0, 0), (30, PUMP_SILENT), (60, PUMP_SILENT))
    assert watch.open == gap(0, 60, 2, PUMP_SILENT)
    assert watch.closed() == []
    watch.stored(START + 90_000, 90)
    assert watch.closed() == [gap(0, 90, 2, PUMP_SILENT)]
    assert watch.open is None


def test_another_reason_begins_another_gap() -> None:
    watch = watch_with((0, 0), (30, PUMP_SILENT), (60, PUMP_REFUSED), (90, 0))
    assert watch.closed() == [gap(0, 60, 1, PUMP_SILENT), gap(60, 90, 1, PUMP_REFUSED)]


def test_gap_before_the_first_reading_begins_with_the_first_slot() -> None:
    assert watch_with((0, PUMP_REFUSED), (30, PUMP_REFUSED), (60, 0)).closed() == [gap(0, 60, 2, PUMP_REFUSED)]


def test_clock_that_jumps_forward_leaves_a_gap_and_a_line(caplog: pytest.LogCaptureFixture) -> None:
    assert watch_with((0, 0), (30, 3600)).closed() == [gap(0, 3630, 120, CLOCK)]
    assert [record.message for record in caplog.records] == ["clock stepped"]


def test_clock_that_jumps_forward_in_a_gap_ends_it_where_it_jumped() -> None:
    found = watch_with((0, 0), (30, PUMP_SILENT), (60, 3600)).closed()
    assert found == [gap(0, 60, 1, PUMP_SILENT), gap(60, 3660, 119, CLOCK)]


def test_clock_that_is_set_back_leaves_no_gap_and_a_line(caplog: pytest.LogCaptureFixture) -> None:
    assert watch_with((0, 0), (30, -3600), (60, 0)).closed() == []
    assert [record.message for record in caplog.records] == ["clock stepped"]


def test_clock_that_drifts_makes_neither_gap_nor_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    watch = GapWatch(30)
    for n in range(100):
        watch.stored(START + n * 30_500, n * 30)
    assert (watch.closed(), caplog.records) == ([], [])


def test_clock_that_begins_in_1970_jumps_over_the_time_since_the_last_reading_only() -> None:
    watch = GapWatch(30)
    watch.begin(START - 600_000)
    watch.stored(1000, 0)
    watch.stored(START, 30)
    assert watch.closed() == [gap(-600, 0, 19, CLOCK)]


def test_gap_stays_until_the_book_has_it() -> None:
    watch = watch_with((0, 0), (30, DISK), (60, 0))
    closed = watch.closed()
    watch.missed(START + 90_000, 90, 1, DISK)
    watch.stored(START + 120_000, 120)
    watch.settled(closed)
    assert watch.closed() == [gap(60, 120, 1, DISK)]


def test_slots_that_one_silent_poll_cost_reach_to_the_last_of_them() -> None:
    watch = watch_with((0, 0))
    watch.missed(START + 30_000, 30, 9, PUMP_SILENT)
    assert watch.open == gap(0, 270, 9, PUMP_SILENT)


def test_clock_that_jumps_before_the_first_reading_jumps_over_the_time_since_the_last_run() -> None:
    watch = watch_with((0, PUMP_REFUSED), (30, PUMP_REFUSED))
    watch.begin(START + 3_000_000)
    watch.stored(START + 3_660_000, 60)
    assert watch.closed() == [gap(0, 60, 2, PUMP_REFUSED), gap(3000, 3660, 21, CLOCK)]
