from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import to_ms
from pipeline.errors import BufferFullError, PumpBusyError, PumpError, PumpTimeoutError, PumpUnreachableError
from pipeline.reading import Answer
from stages.poll import Grid, Poll
from tests.parts import NOON, TurnedClock, answer


class Bench:
    """A poll whose pump answers or fails as told, each read taking its seconds."""

    def __init__(self, *, interval_s: float = 30, retries: int = 3) -> None:
        self.clock = TurnedClock()
        self.outcomes: Iterator[tuple[float, PumpError | None]] = iter(())
        self.added: list[datetime] = []
        self.reads: list[float] = []
        self.full = False
        self.poll = Poll(
            self._read,
            self._add,
            address="pump:8889",
            interval_s=interval_s,
            retries=retries,
            clock=self.clock,
            jitter=lambda low, high: (low + high) / 2,
        )

    def _read(self) -> Answer:
        self.reads.append(self.clock.monotonic() - 1000)
        takes_s, error = next(self.outcomes, (0.1, None))
        self.clock.turn(takes_s)
        if error:
            raise error
        return answer(len(self.reads))

    def _add(self, timestamp: datetime, _: Answer) -> None:
        if self.full:
            raise BufferFullError("full")
        self.added.append(timestamp)

    def run(self, seconds: float, *outcomes: tuple[float, PumpError | None]) -> list[float]:
        """Let time pass; gives when the pump was read, in seconds since the start."""
        self.outcomes = iter(outcomes)
        self.reads.clear()
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.clock.turn(self.poll.step(self.clock.monotonic()))
        return [round(at, 3) for at in self.reads]


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= level]


def silent(got: int = 0) -> PumpTimeoutError:
    return PumpTimeoutError("no whole answer", reading="calculations", got=got, wanted=940)


def test_polls_keep_the_grid_whatever_a_read_takes() -> None:
    assert Bench().run(150, (0.1, None), (7, None), (0.1, None), (29.9, None), (0, None)) == [0, 30, 60, 90, 120]


def test_time_of_a_reading_is_the_wall_clock_when_it_was_whole() -> None:
    bench = Bench()
    bench.run(30, (2, None))
    assert [(added - NOON).total_seconds() for added in bench.added] == [2]


def test_grid_begins_with_the_first_poll_however_long_the_start_took(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.clock.turn(100)
    assert bench.run(60) == [100, 130]
    assert lines(caplog) == []


def test_read_longer_than_the_interval_skips_slots_and_makes_none_up(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    assert bench.run(180, (65, None)) == [0, 90, 120, 150]
    assert bench.poll.missed == 2
    assert lines(caplog) == ["slots skipped"]


def test_failed_read_is_tried_again_after_two_four_and_eight_seconds() -> None:
    bench = Bench()
    reads = bench.run(90, *[(0.5, silent())] * 4)
    assert reads == [0, 2.5, 7, 15.5, 30, 60]
    assert (bench.poll.polls, bench.poll.missed, bench.poll.failures) == (2, 1, 4)


def test_jitter_stays_within_a_fifth() -> None:
    bench = Bench()
    bench.poll._jitter = lambda low, high: low
    assert bench.run(10, (0, silent()), (0, silent())) == [0, 1.6, 4.8]


def test_busy_controller_is_left_alone_for_five_seconds() -> None:
    busy = PumpBusyError("busy", reading="calculations")
    assert Bench().run(20, (0.1, busy), (0.1, busy)) == [0, 5.1, 10.2]


def test_success_after_a_retry_goes_on_with_the_next_slot() -> None:
    bench = Bench()
    assert bench.run(60, (1, silent())) == [0, 3, 30]
    assert (bench.poll.polls, bench.poll.missed) == (2, 0)


def test_silent_pump_costs_the_slots_that_its_retries_overlap() -> None:
    bench = Bench()
    reads = bench.run(330, *[(60, silent())] * 4)
    assert reads == [0, 62, 126, 194, 270, 300]
    assert bench.poll.missed == 9


def test_each_failure_is_logged_with_its_context_and_the_last_with_its_gap(caplog: pytest.LogCaptureFixture) -> None:
    Bench().run(250, *[(60, silent(12))] * 4)
    assert lines(caplog) == ["read failed"] * 3 + ["poll given up"]
    facts = [record.facts for record in caplog.records]  # type: ignore[attr-defined]
    assert facts[1] == {
        "address": "pump:8889",
        "attempt": "2/4",
        "reading": "calculations",
        "got": "12/940 bytes",
        "elapsed_s": 60,
        "error": facts[1]["error"],
        "next_try_s": 4,
    }
    assert (facts[3]["missed"], facts[3]["next_poll_s"]) == (9, 16)
    assert (facts[3]["gap_from"], facts[3]["gap_to"]) == ("2026-01-05T11:00:00.000Z", "2026-01-05T11:04:30.000Z")


def test_pump_that_is_away_for_a_day_gives_a_line_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.run(60)
    caplog.clear()
    bench.run(86_400, *[(0.1, silent())] * 20_000)
    away = lines(caplog)
    assert away[:4] == ["read failed"] * 3 + ["poll given up"]
    assert away[4:] == ["pump still failing: poll given up"] * 23
    caplog.clear()
    bench.run(60)
    assert lines(caplog) == ["pump works again"]
    facts = caplog.records[-1].facts  # type: ignore[attr-defined]
    assert facts["missed"] == 2880
    assert bench.poll.missed == 2880


def test_wall_clock_that_steps_changes_no_poll() -> None:
    bench = Bench()
    first = bench.run(60)
    bench.clock.step(3600)
    second = bench.run(60)
    bench.clock.step(-7200)
    assert [*first, *second, *bench.run(60)] == [0, 30, 60, 90, 120, 150]


def test_reading_that_finds_no_place_is_missed_and_polling_goes_on() -> None:
    bench = Bench()
    bench.full = True
    assert bench.run(60) == [0, 30]
    assert (bench.poll.polls, bench.poll.missed) == (0, 2)


def test_controller_is_introduced_once_and_again_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench()
    bench.run(60)
    bench.poll._read = lambda: answer(1, letters="V3.90")
    bench.run(60)
    introduced = [r.facts["firmware"] for r in caplog.records if r.message == "controller answers"]  # type: ignore[attr-defined]
    assert introduced == ["V3.88", "V3.90"]


@given(st.lists(st.floats(0, 500), max_size=20), st.floats(5, 3600))
def test_grid_gives_each_slot_once_and_never_one_that_has_passed(pauses: list[float], interval_s: float) -> None:
    grid, now, last, used = Grid(interval_s), 1000.0, 1000.0, 0
    grid.begin(now)
    for pause in pauses:
        now = max(now, last) + pause
        slot, skipped = grid.take_next(now)
        used += 1 + skipped
        assert slot >= now - 4 * math.ulp(now)  # but for the last bits of a float
        assert slot - last >= interval_s * 0.999
        assert slot == pytest.approx(1000 + used * interval_s)
        last = slot


def gaps(bench: Bench) -> list[tuple[float, float, int, str]]:
    """Closed gaps: seconds since the start, polls that are missing, reason."""
    start = to_ms(NOON)
    return [
        ((g.from_ms - start) / 1000, (g.to_ms - start) / 1000, g.missing, g.reason) for g in bench.poll.gaps.closed()
    ]


def test_slots_without_a_reading_are_a_gap_with_the_reason_of_the_last_failure() -> None:
    bench = Bench()
    refused = PumpUnreachableError("refused", reading="connection")
    bench.run(120, (0.5, None), *[(0.5, refused)] * 4)
    assert gaps(bench) == [(0.5, 60.1, 1, "pump_refused")]


def test_slots_that_a_slow_answer_took_are_a_gap_before_it() -> None:
    bench = Bench()
    bench.run(180, (0.5, None), (65, None))
    assert gaps(bench) == [(0.5, 95, 2, "pump_silent")]


def test_readings_that_find_no_place_are_a_gap_of_the_disk() -> None:
    bench = Bench()
    bench.run(30)
    bench.full = True
    bench.run(60)
    bench.full = False
    bench.run(30)
    assert gaps(bench) == [(0.1, 90.1, 2, "disk")]


def test_slots_that_went_by_while_a_reading_was_stored_are_a_gap_of_the_disk_behind_it() -> None:
    bench = Bench()
    bench.run(30)
    real = bench.poll._add

    def held(timestamp: datetime, data: Answer) -> None:
        real(timestamp, data)
        bench.clock.turn(70)

    bench.poll._add = held
    bench.run(30)
    bench.poll._add = real
    bench.run(90)
    assert gaps(bench) == [(30.1, 120.1, 2, "disk")]
