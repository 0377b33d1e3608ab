"""The comparison of a log's field with live readings, on series whose truth is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.log_proof import MOST_STEP, NEAR_MS, STEPS_MS, Verdict, compare

MINUTES = np.arange(120, dtype=np.int64) * 60_000
POLLS = np.arange(240, dtype=np.int64) * 30_000 + 7_000


def steady(value: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(n, value, np.int64)


def test_field_that_says_what_the_pump_says_is_proven() -> None:
    found = compare(MINUTES, steady(215, 120), POLLS, steady(215, 240), 1)
    assert found == Verdict(120, 120)
    assert found.is_proven
    assert not found.is_refuted


def test_field_that_says_something_else_is_refuted() -> None:
    found = compare(MINUTES, steady(217, 120), POLLS, steady(215, 240), 1)
    assert found == Verdict(120, 0)
    assert found.is_refuted
    assert not found.is_proven


def test_value_that_moves_may_differ_by_what_the_pump_itself_moves() -> None:
    live = steady(215, 240) + np.arange(240, dtype=np.int64) % 2 * 3
    for value, agreed in ((210, 0), (211, 120), (219, 120), (220, 0)):
        assert compare(MINUTES, steady(value, 120), POLLS, live, 1) == Verdict(120, agreed)


def test_minutes_in_which_the_value_jumps_are_not_compared() -> None:
    jumps = np.arange(240, dtype=np.int64) % 2 * 21
    assert compare(MINUTES, steady(0, 120), POLLS, jumps, 1) == Verdict(0, 0)
    assert compare(MINUTES, steady(0, 120), POLLS, jumps[:1] + np.zeros(240, np.int64), 1) == Verdict(120, 120)


def test_jump_over_a_gap_is_none() -> None:
    times = np.concatenate([POLLS[:120], POLLS[120:] + 3_600_000])
    live = np.concatenate([steady(200, 120), steady(400, 120)])
    minutes = np.concatenate([MINUTES[:50], MINUTES[70:] + 3_600_000])
    log = np.concatenate([steady(200, 50), steady(400, 50)])
    assert compare(minutes, log, times, live, 1) == Verdict(100, 100)


def test_tolerance_is_half_open_to_neither_side() -> None:
    for value, agreed in ((213, 0), (214, 120), (216, 120), (217, 0)):
        assert compare(MINUTES, steady(value, 120), POLLS, steady(215, 240), 1).agreed == agreed


def test_bits_are_compared_with_the_nearest_reading() -> None:
    live = (POLLS // 600_000 % 2).astype(np.int64)
    log = (MINUTES // 600_000 % 2).astype(np.int64)
    found = compare(MINUTES, log, POLLS, live, 0)
    assert found.compared == 120
    assert found.is_proven
    assert compare(MINUTES, 1 - log, POLLS, live, 0).is_refuted


def test_few_agreeing_minutes_prove_nothing_and_refute_nothing() -> None:
    found = compare(MINUTES, steady(1, 120), POLLS[:50], steady(1, 50), 0)
    assert found.compared < 30
    assert (found.is_proven, found.is_refuted) == (False, False)


@pytest.mark.parametrize("live", [np.zeros(0, np.int64), MINUTES[:5] + 50_000_000])
def test_without_a_reading_nearby_nothing_is_compared(live: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    assert compare(MINUTES, steady(1, 120), live, steady(1, len(live)), 1) == Verdict(0, 0)


@given(
    st.lists(st.integers(0, 400), unique=True, min_size=1, max_size=30),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 50)), unique_by=lambda pair: pair[0], min_size=1, max_size=60
    ),
    st.lists(st.integers(0, 50), min_size=30, max_size=30),
    st.sampled_from([0, 1, 2]),
)
@example([1], [(0, 2), (121, 0)], [0] * 30, 1)
def test_verdict_is_that_of_a_plain_look_at_every_minute(
    minutes: list[int], polls: list[tuple[int, int]], values: list[int], tolerance: int
) -> None:
    times = [minute * 7_000 for minute in sorted(minutes)]
    live = [(at * 5_000, value) for at, value in sorted(polls)]
    compared = agreed = 0
    for time, value in zip(times, values, strict=False):
        distance, _, nearest = min((abs(at - time), at, found) for at, found in live)
        near = [(at, found) for at, found in live if abs(at - time) <= STEPS_MS]
        # Over a gap a step tells nothing.
        steps = [abs(b - a) for (begin, a), (end, b) in pairwise(near) if end - begin <= STEPS_MS]
        step = max(steps, default=0) if tolerance else 0
        if distance > NEAR_MS or (tolerance and step > MOST_STEP * tolerance):
            continue
        compared += 1
        agreed += abs(value - nearest) <= step + tolerance
    verdict = compare(
        np.array(times, np.int64),
        np.array(values[: len(times)], np.int64),
        np.array([at for at, _ in live], np.int64),
        np.array([value for _, value in live], np.int64),
        tolerance,
    )
    assert verdict == Verdict(compared, agreed)
