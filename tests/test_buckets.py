from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.buckets import BUCKET_MS, Buckets, combine, length_for, reduce
from pipeline.columns import Integers, Times

rows = st.dictionaries(st.integers(-(10**12), 10**13), st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=60)


def arrays(found: dict[int, int]) -> tuple[Times, Integers]:
    times = sorted(found)
    return np.array(times, np.int64), np.array([found[at] for at in times], np.int32)


def listed(buckets: Buckets) -> list[tuple[int, ...]]:
    columns = (buckets.starts_ms, buckets.mins, buckets.maxs, buckets.sums, buckets.counts)
    return [tuple(map(int, row)) for row in zip(*columns, strict=True)]


def by_hand(found: dict[int, int], length_ms: int) -> list[tuple[int, ...]]:
    groups: dict[int, list[int]] = {}
    for at in sorted(found):
        groups.setdefault(at // length_ms * length_ms, []).append(found[at])
    return [(start, min(values), max(values), sum(values), len(values)) for start, values in groups.items()]


@given(rows, st.sampled_from([1000, BUCKET_MS, 86_400_000]))
def test_buckets_hold_least_greatest_sum_and_number_of_their_values(found: dict[int, int], length_ms: int) -> None:
    assert listed(reduce(*arrays(found), length_ms)) == by_hand(found, length_ms)


@given(st.lists(rows, min_size=1, max_size=4), st.integers(1, 200))
def test_pieces_in_any_order_combine_to_the_buckets_of_all(pieces: list[dict[int, int]], times: int) -> None:
    whole = {at: value for piece in pieces for at, value in piece.items()}
    separate = [{at: value for at, value in whole.items() if at % len(pieces) == i} for i in range(len(pieces))]
    found = combine([reduce(*arrays(one), BUCKET_MS) for one in separate if one], times * BUCKET_MS)
    assert listed(found) == by_hand(whole, times * BUCKET_MS)


def test_nothing_combines_to_nothing() -> None:
    assert listed(combine([], BUCKET_MS)) == []


@given(st.integers(0, 40 * 366 * 86_400_000), st.integers(1, 10_000), st.integers(0, 10**9))
def test_no_span_meets_more_buckets_than_points(span_ms: int, points: int, begin_ms: int) -> None:
    length_ms = length_for(span_ms, points)
    met = len(range(begin_ms // length_ms, -(-(begin_ms + span_ms) // length_ms)))
    # One bucket is met even by a span of a moment, and two by any that crosses a border.
    assert met <= max(points, 2)
    assert length_ms < BUCKET_MS or length_ms % BUCKET_MS == 0


@pytest.mark.parametrize(("points", "length_ms"), [(2000, 21_600_000), (365, 172_800_000), (10**9, 1000)])
def test_a_year_has_the_shortest_buckets_that_fit(points: int, length_ms: int) -> None:
    assert length_for(365 * 86_400_000, points) == length_ms
