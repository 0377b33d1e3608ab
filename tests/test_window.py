from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import from_ms, to_ms
from pipeline.window import ending_on, last_ended, parse_name
from tests.parts import BERLIN

SEVEN = time(7)


def hours(day: date, kind: str = "daily", at: time = SEVEN) -> float:
    one = ending_on(day, kind, at, BERLIN)
    return (one.end_ms - one.start_ms) / 3_600_000


def test_january_window_is_24_hours_of_local_wall_time() -> None:
    one = ending_on(date(2026, 1, 5), "daily", SEVEN, BERLIN)
    assert from_ms(one.start_ms) == datetime(2026, 1, 4, 6, tzinfo=UTC)
    assert from_ms(one.end_ms) == datetime(2026, 1, 5, 6, tzinfo=UTC)
    assert one.name == "2026-01-05_daily.csv"
    assert hours(date(2026, 1, 5), "weekly") == 7 * 24


@pytest.mark.parametrize(
    ("day", "daily", "weekly"),
    [(date(2026, 3, 29), 23, 167), (date(2026, 10, 25), 25, 169), (date(2028, 2, 29), 24, 168)],
)
def test_window_over_a_clock_change_has_the_hours_of_its_day(day: date, daily: int, weekly: int) -> None:
    assert (hours(day), hours(day, "weekly")) == (daily, weekly)


def test_time_that_comes_twice_or_never_gives_windows_that_tile() -> None:
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        first, second = (ending_on(day + timedelta(days=i), "daily", time(2, 30), BERLIN) for i in (0, 1))
        assert first.end_ms == second.start_ms
        assert from_ms(first.end_ms).astimezone(BERLIN).fold == 0


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.times().map(lambda t: t.replace(microsecond=0)),
    st.sampled_from(["Europe/Berlin", "UTC", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
def test_windows_of_neighbouring_days_share_their_border(day: date, at: time, zone: str) -> None:
    days = [day + timedelta(days=i) for i in range(8)]
    daily = [ending_on(one, "daily", at, ZoneInfo(zone)) for one in days]
    assert all(a.end_ms == b.start_ms for a, b in pairwise(daily))
    weekly = ending_on(days[-1], "weekly", at, ZoneInfo(zone))
    assert (weekly.start_ms, weekly.end_ms) == (daily[1].start_ms, daily[-1].end_ms)


@given(st.integers(978_307_200, 2_208_988_800), st.times().map(lambda t: t.replace(microsecond=0)))
def test_newest_ended_window_ended_before_now_and_the_next_has_not(second: int, at: time) -> None:
    now = from_ms(second * 1000)
    day = last_ended(now, at, BERLIN)
    assert ending_on(day, "daily", at, BERLIN).end_ms <= to_ms(now)
    assert ending_on(day + timedelta(days=1), "daily", at, BERLIN).end_ms > to_ms(now)


def test_names_of_ours_are_known_and_foreign_ones_are_not() -> None:
    assert parse_name("2026-01-05_daily.csv") == (date(2026, 1, 5), "daily")
    assert parse_name("2026-01-05_weekly.csv.gz") == (date(2026, 1, 5), "weekly")
    for foreign in ("2026-02-30_daily.csv", "2026-01-05_daily.csv.part", "x_daily.csv", "2026-01-05.csv"):
        assert parse_name(foreign) is None
