"""Steps of made-up columns against what plain Python makes of the same rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.clock import local_label, to_ms, utc_text
from pipeline.columns import Column, Columns
from pipeline.sensors import sensor
from pipeline.steps import steps
from pipeline.table import Block, Cells, fields
from tests.parts import BERLIN

MEASURE = sensor("calculations", 10)
COUNTER = sensor("calculations", 151)
STATE = sensor("calculations", 80)
SENSORS = [MEASURE, COUNTER, STATE]
FIELDS = fields(SENSORS)
HOUR_MS = 3_600_000

Rows = list[tuple[datetime, list[int | None]]]


def columns(rows: Rows) -> Columns:
    offsets = [local_label(at, BERLIN)[1] for at, _ in rows]
    found = {}
    for i, one in enumerate(SENSORS):
        raws = [values[i] for _, values in rows]
        mask = np.array([raw is not None for raw in raws])
        found[one] = Column(np.array([raw or 0 for raw in raws], np.int32), None if mask.all() else mask)
    times = np.array([to_ms(at) for at, _ in rows], np.int64)
    zero = Column(np.zeros(1, np.int32))
    return Columns(times, Column(np.array(offsets, np.int32)), zero, found)


def made(rows: Rows, length_ms: int, cut: int = 0) -> list[tuple[str, int, list[float | None]]]:
    """The steps of rows that come in two pieces."""
    whole = columns(rows)
    pieces = [piece for piece in (whole.cut(slice(0, cut)), whole.cut(slice(cut, None))) if len(piece.times_ms)]
    return [step for block in steps(FIELDS, iter(pieces), length_ms) for step in of(block)]


def of(block: Block) -> list[tuple[str, int, list[float | None]]]:
    count = len(block.times_ms)
    cells = [values(each, count) for each in block.cells]
    starts = [utc_text(at)[:16] for at in block.times_ms.tolist()]
    return [(starts[i], int(block.third[i]), [column[i] for column in cells]) for i in range(count)]


def values(cells: Cells, count: int) -> list[float | None]:
    present = np.ones(count, np.bool_) if cells.present is None else np.broadcast_to(cells.present, count)
    found = np.broadcast_to(cells.values, count)
    return [float(value) if there else None for value, there in zip(found, present, strict=True)]


def every(start: datetime, minutes: int, count: int) -> Rows:
    return [(start + timedelta(minutes=minutes * i), [i, 10 * i, i // 3]) for i in range(count)]


def test_step_has_the_mean_of_measures_the_last_of_counters_and_what_held_longest_of_states() -> None:
    at = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
    rows: Rows = [
        (at, [200, 10, 5]),
        (at + timedelta(minutes=5), [210, 20, 0]),
        (at + timedelta(minutes=10), [230, 30, 5]),
        (at + timedelta(minutes=15), [300, None, 0]),
        (at + timedelta(minutes=20), [None, 50, None]),
        (at + timedelta(minutes=31), [None, None, None]),
    ]
    assert made(rows, 15 * 60_000) == [
        ("2026-01-05T11:00", 3, [21.333, 3.0, 5.0]),
        ("2026-01-05T11:15", 2, [30.0, 5.0, 0.0]),
        ("2026-01-05T11:30", 1, [None, None, None]),
    ]


def test_hours_of_the_night_with_25_are_apart_and_its_day_is_one() -> None:
    rows = every(datetime(2026, 10, 24, 22, tzinfo=UTC), 30, 50)
    assert [step[:2] for step in made(rows, HOUR_MS)][:5] == [
        (f"2026-10-{day}T{hour}:00", 2) for day, hour in ((24, 22), (24, 23), (25, "00"), (25, "01"), (25, "02"))
    ]
    assert [step[:2] for step in made(rows, 24 * HOUR_MS)] == [("2026-10-24T22:00", 50)]


def test_day_of_23_hours_ends_where_the_next_begins() -> None:
    rows = every(datetime(2026, 3, 28, 23, tzinfo=UTC), 30, 48)
    assert [step[:2] for step in made(rows, 24 * HOUR_MS)] == [("2026-03-28T23:00", 46), ("2026-03-29T22:00", 2)]


@example(minutes=[1] * 30, data=[(i % 8 == 7, None, None) for i in range(30)], length_min=15, cut=0)
@given(
    minutes=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    data=st.lists(st.tuples(*[st.none() | st.integers(-3, 3)] * 3), min_size=30, max_size=30),
    length_min=st.sampled_from([1, 15, 60, 240]),
    cut=st.integers(0, 30),
)
@pytest.mark.no_cover  # many examples, of which a few count as well
def test_steps_are_those_of_a_plain_count_wherever_the_rows_are_cut(
    minutes: list[int], data: list[tuple[int | None, ...]], length_min: int, cut: int
) -> None:
    at = datetime(2026, 1, 5, 22, 7, tzinfo=UTC)
    rows: Rows = []
    for gap, raws in zip(minutes, data, strict=False):
        rows.append((at, list(raws)))
        at += timedelta(minutes=gap)
    groups: dict[datetime, list[list[int | None]]] = {}
    for when, found in rows:
        wall = when + timedelta(hours=1)
        floor = wall - timedelta(minutes=(wall.hour * 60 + wall.minute) % length_min, seconds=wall.second)
        groups.setdefault(floor - timedelta(hours=1), []).append(found)
    expected: list[tuple[str, int, list[Any]]] = []
    for start, members in groups.items():
        measures, counters, states = (
            [one for one in column if one is not None] for column in zip(*members, strict=True)
        )
        # A mean half way between two thousandths may become either.
        mean = pytest.approx(sum(measures) / len(measures) / 10, abs=0.00050001) if measures else None
        longest = Counter(states).most_common(1)[0][0] if states else None
        expected.append(
            (utc_text(to_ms(start))[:16], len(members), [mean, counters[-1] / 10 if counters else None, longest])
        )
    those = made(rows, length_min * 60_000, cut)
    assert those == expected
    means = [values[0] for _, _, values in those if values[0] is not None]
    assert means == [round(mean, 3) for mean in means]
