from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import utc_text
from pipeline.gap import DISK, LOGGER_OFF, PUMP_REFUSED, PUMP_SILENT, Gap
from pipeline.gap_audit import LastRun, before_start, during_run

START = 1_000_000_000


def at(*seconds: float) -> list[int]:
    return [START + round(s * 1000) for s in seconds]


def gap(from_s: float, to_s: float, missing: int, reason: str) -> Gap:
    begin, end = at(from_s, to_s)
    return Gap(begin, end, missing, missing, reason)


def last_run(durable_s: float, *, oldest_s: float | None = None, open_gap: Gap | None = None) -> LastRun:
    oldest = at(durable_s if oldest_s is None else oldest_s)[0]
    return LastRun(at(durable_s)[0], oldest, 30, open_gap)


def found(times: list[int], first_s: float, last: LastRun | None, *known: Gap) -> list[Gap]:
    return before_start(times, known, last, at(first_s)[0], 30)


def test_time_between_two_runs_is_a_gap_of_the_logger() -> None:
    assert found(at(0, 30, 60), 660, last_run(60)) == [gap(60, 660, 19, LOGGER_OFF)]


def test_quick_restart_is_no_gap() -> None:
    assert found(at(0, 30, 60), 92, last_run(60)) == []


def test_reading_that_came_after_the_state_was_told_counts() -> None:
    assert found(at(0, 30, 60, 90), 120, last_run(60)) == []


def test_readings_that_were_durable_and_are_gone_were_lost_by_the_disk() -> None:
    times = at(0, 30, 60)
    assert found(times, 660, last_run(150, oldest_s=90)) == [gap(60, 150, 3, DISK), gap(150, 660, 16, LOGGER_OFF)]


def test_readings_lost_in_the_middle_of_a_backlog_were_lost_by_the_disk() -> None:
    times = at(0, 30, 120, 150)
    assert found(times, 180, last_run(150, oldest_s=30)) == [gap(30, 120, 2, DISK)]


def test_gap_of_the_pump_that_was_open_keeps_its_reason() -> None:
    silent = gap(60, 300, 8, PUMP_SILENT)
    assert found(at(0, 30, 60), 660, last_run(60, open_gap=silent)) == [silent, gap(300, 660, 11, LOGGER_OFF)]


def test_gap_that_the_book_has_is_not_found_again() -> None:
    known = gap(60, 660, 19, PUMP_REFUSED)
    assert found(at(0, 30, 60), 690, last_run(60), known) == []


def test_clock_that_is_behind_the_last_run_makes_no_gap() -> None:
    assert found([], -1000, last_run(60)) == []


def test_without_a_last_run_every_hole_is_a_gap_of_the_logger() -> None:
    assert found(at(0, 30, 120), 240, None) == [gap(30, 120, 2, LOGGER_OFF), gap(120, 240, 3, LOGGER_OFF)]
    assert found([], 240, None) == []


def test_readings_that_came_more_seldom_in_a_time_that_nobody_tells_of_are_no_gaps() -> None:
    times = at(*range(0, 6000, 300))
    assert found(times, 6000, None) == []


def test_first_readings_of_a_day_come_as_those_of_the_day_before() -> None:
    midnight_s = (86_400_000 - START % 86_400_000) / 1000
    times = at(*(midnight_s + 150 * n for n in range(-40, 4)))
    assert before_start(times, (), None, times[-1] + 5_000, 30) == []
    assert before_start(times[-4:], (), None, times[-1] + 5_000, 30) != []


def test_readings_that_another_hand_put_in_since_the_last_run_shorten_its_gap() -> None:
    times = at(0, *range(300, 6000, 60))
    assert found(times, 6000, last_run(0)) == [gap(0, 300, 4, LOGGER_OFF)]


def test_holes_that_nothing_explains_after_a_damaged_queue_were_lost_by_the_disk() -> None:
    known = [gap(60, 150, 2, PUMP_SILENT)]
    times = at(0, 30, 60, 150, 180, 270)
    assert during_run(times, known, last_run(270)) == [gap(180, 270, 2, DISK)]
    assert during_run(times, known, last_run(330)) == [gap(180, 270, 2, DISK), gap(270, 330, 2, DISK)]
    assert during_run([*times, *at(450)], known, last_run(330))[1:] == [gap(270, 330, 2, DISK), gap(330, 450, 3, DISK)]
    assert during_run([*times, *at(300, 390)], known, last_run(270)) == [gap(180, 270, 2, DISK)]


@given(st.sets(st.integers(0, 200), min_size=1), st.integers(0, 200))
def test_every_missing_poll_is_counted_once(kept: set[int], durable: int) -> None:
    kept = {n for n in kept if n <= durable} | {0}
    times = at(*(30 * n for n in kept))
    gaps = found(times, 30 * 300, last_run(30 * durable, oldest_s=0))
    lost = sum(one.missing for one in gaps if one.reason == DISK)
    off = sum(one.missing for one in gaps if one.reason == LOGGER_OFF)
    assert (lost, off) == (durable + 1 - len(kept), 299 - durable)


def document(**changes: Any) -> dict[str, Any]:
    told = {
        "last_reading": utc_text(at(90)[0]),
        "queue": {"oldest": utc_text(at(30)[0])},
        "interval_s": 30,
        "gaps": {"open": gap(90, 150, 2, PUMP_SILENT).document()},
    }
    return told | changes


def test_last_run_is_read_from_what_it_published() -> None:
    assert LastRun.of(document()) == LastRun(at(90)[0], at(30)[0], 30, gap(90, 150, 2, PUMP_SILENT))
    nothing_waits = document(queue={"oldest": None}, gaps={"open": None})
    assert LastRun.of(nothing_waits) == LastRun(at(90)[0], at(90)[0], 30)


@pytest.mark.parametrize(
    "state",
    [None, {}, document(last_reading=None), document(last_reading="now"), document(queue=7), document(interval_s=None)],
)
def test_state_that_tells_nothing_is_no_last_run(state: dict[str, Any] | None) -> None:
    assert LastRun.of(state) is None


def test_readings_in_memory_before_an_open_gap_went_with_the_process() -> None:
    last = last_run(60, open_gap=gap(210, 300, 3, PUMP_SILENT))
    expected = [gap(60, 210, 4, LOGGER_OFF), gap(210, 300, 3, PUMP_SILENT), gap(300, 660, 11, LOGGER_OFF)]
    assert found(at(0, 30, 60), 660, last) == expected


@pytest.mark.parametrize("interval_s", [float("nan"), float("inf"), 0, -30, 1e9])
def test_interval_that_no_settings_allow_is_no_last_run(interval_s: float) -> None:
    told = {"last_reading": utc_text(START), "queue": {}, "interval_s": interval_s, "gaps": {"open": None}}
    assert LastRun.of(told) is None


def test_state_that_carries_another_run_on_tells_of_that_one() -> None:
    before = {"last_reading": utc_text(START), "queue": {"oldest": None}, "interval_s": 60, "gaps": {"open": None}}
    now = {**before, "last_reading": utc_text(START + 90_000), "interval_s": 30, "untold": before}
    assert LastRun.of(now) == LastRun(START, START, 60)
