"""The alarm that wakes the rollup: each full minute, whatever the clock does."""

from __future__ import annotations

import datetime as real
from types import SimpleNamespace

import pytest
import schedule

from pipeline import alarm as alarm_module
from pipeline.alarm import Alarm, Bell
from tests.parts import TurnedClock


class LocalClock(TurnedClock):
    """A clock whose naive local time the scheduler is made to see."""

    local = real.datetime(2026, 10, 25, 1, 58, 30)  # noqa: DTZ001

    def turn(self, seconds: float) -> None:
        super().turn(seconds)
        LocalClock.local += real.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> LocalClock:
    class Now(real.datetime):
        @classmethod
        def now(cls, tz: real.tzinfo | None = None) -> real.datetime:  # type: ignore[override]
            assert tz is None
            return LocalClock.local

    LocalClock.local = real.datetime(2026, 10, 25, 1, 58, 30)  # noqa: DTZ001
    monkeypatch.setattr(schedule, "datetime", SimpleNamespace(**{**vars(real), "datetime": Now}))
    monkeypatch.setattr(alarm_module, "datetime", Now)
    return LocalClock()


def rings(clock: LocalClock, alarm: Alarm, seconds: int, counted: list[int]) -> int:
    before = len(counted)
    for _ in range(seconds):
        clock.turn(1)
        alarm.tick()
    return len(counted) - before


def test_rollup_is_woken_at_every_full_minute(clock: LocalClock) -> None:
    counted: list[int] = []
    alarm = Alarm(lambda: counted.append(LocalClock.local.second), clock)
    assert rings(clock, alarm, 600, counted) == 10
    assert set(counted) == {0}


@pytest.mark.parametrize("step_s", [-3600, 3600, -86_400, 10 * 365 * 86_400])
def test_clock_step_stalls_no_wake(clock: LocalClock, step_s: int) -> None:
    counted: list[int] = []
    alarm = Alarm(lambda: counted.append(1), clock)
    rings(clock, alarm, 120, counted)
    LocalClock.local += real.timedelta(seconds=step_s)
    assert rings(clock, alarm, 600, counted) in {10, 11}


def test_bell_that_rang_before_the_wait_ends_it() -> None:
    bell = Bell()
    bell.ring()
    bell.wait(9)
