from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plot import Plot, marks, runs
from pipeline.quality import FALL, JUMP, Step
from pipeline.sensors import sensor
from pipeline.series import ReducedSeries, Series
from pipeline.trust import Wrong

FLOW, RETURN, HEAT = sensor("calculations", 10), sensor("calculations", 11), sensor("calculations", 151)


def series(which: object, times: list[int], values: list[float]) -> Series:
    return Series(which, np.array(times, np.int64), np.array(values, np.float64))  # type: ignore[arg-type]


def reduced(starts: list[int], means: list[float]) -> ReducedSeries:
    values = np.array(means, np.float64)
    return ReducedSeries(
        HEAT, 100, np.array(starts, np.int64), values - 1, values, values + 1, np.full(len(means), 3, np.int64)
    )


def test_equal_times_are_told_once_and_others_apart() -> None:
    plot = Plot({})
    plot.add(series(FLOW, [1, 2], [21.5, 22.0]))
    plot.add(series(RETURN, [1, 2], [1.0, 2.0]))
    plot.add(series(HEAT, [2], [5.0]))
    found = json.loads(json.dumps(plot.document()))
    assert found == {
        "step_ms": None,
        "times": [[1, 2], [2]],
        "series": [
            {"name": FLOW.name, "unit": "°C", "t": 0, "values": [21.5, 22.0]},
            {"name": RETURN.name, "unit": "°C", "t": 0, "values": [1.0, 2.0]},
            {"name": HEAT.name, "unit": "kWh", "t": 1, "values": [5.0]},
        ],
    }


def test_wrong_values_are_left_out_of_the_sensor_they_belong_to() -> None:
    plot = Plot({HEAT.name: [Wrong(20, 40)]})
    plot.add(series(HEAT, [10, 20, 30, 40], [1, 2, 3, 4]))
    plot.add(series(FLOW, [10, 20], [1, 2]))
    found = plot.document()
    assert [found["times"][one["t"]] for one in found["series"]] == [[10, 40], [10, 20]]


def test_bucket_with_a_wrong_value_in_it_is_left_out_whole() -> None:
    plot = Plot({HEAT.name: [Wrong(250, 310)]})
    plot.add(reduced([0, 100, 200, 300, 400], [1.5004, 2, 3, 4, 5]))
    (one,) = plot.document()["series"]
    assert plot.document()["times"][0] == [0, 100, 400]
    assert (one["mean"], one["min"], one["count"]) == ([1.5, 2.0, 5.0], pytest.approx([0.5004, 1.0, 4.0]), [3, 3, 3])
    assert plot.document()["step_ms"] == 100


def test_bucket_that_ends_where_wrong_values_begin_stays() -> None:
    plot = Plot({HEAT.name: [Wrong(200, 300)]})
    plot.add(reduced([0, 100, 200, 300], [1, 2, 3, 4]))
    assert plot.document()["times"] == [[0, 100, 300]]


def test_marks_are_those_of_the_asked_sensors_and_times() -> None:
    steps = [Step(30, "b", FALL, 1, 2), Step(20, "a", JUMP, 2, 1), Step(40, "a", FALL, 1, 2)]
    assert marks(steps, ["a", "b"], 20, 40) == [
        {"time": "1970-01-01T00:00:00.020Z", "column": "a", "mark": JUMP},
        {"time": "1970-01-01T00:00:00.030Z", "column": "b", "mark": FALL},
    ]


@pytest.mark.parametrize(
    ("times", "values", "expected"),
    [
        ([], [], []),
        ([10], [1], [(10, 20, 1)]),
        ([10, 20, 30], [1, 1, 1], [(10, 40, 1)]),
        ([10, 20, 30, 40], [0, 1, 1, 0], [(10, 20, 0), (20, 40, 1), (40, 50, 0)]),
        ([10, 20, 100, 110], [1, 1, 1, 0], [(10, 30, 1), (100, 110, 1), (110, 120, 0)]),
        ([10, 20, 55, 91, 101], [1, 1, 1, 1, 1], [(10, 65, 1), (91, 111, 1)]),
        ([10, 70, 130, 190, 200, 210], [1, 1, 1, 1, 1, 1], [(10, 220, 1)]),
        ([10, 70, 130, 600, 660], [1, 1, 0, 0, 0], [(10, 130, 1), (130, 190, 0), (600, 720, 0)]),
    ],
)
def test_runs_end_at_the_next_value_or_where_readings_are_missing(
    times: list[int], values: list[float], expected: list[tuple[int, int, float]]
) -> None:
    starts, ends, found = runs(np.array(times, np.int64), np.array(values, np.float64), 10)
    assert list(zip(starts.tolist(), ends.tolist(), found.tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 2)), max_size=40))
def test_runs_give_back_every_value(steps: list[tuple[int, int]]) -> None:
    times = np.cumsum([step for step, _ in steps], dtype=np.int64)
    values = np.array([value for _, value in steps], np.float64)
    starts, ends, found = runs(times, values, 10)
    assert (starts[1:] >= ends[:-1]).all()
    for at, value in zip(times, values, strict=True):
        (inside,) = np.flatnonzero((starts <= at) & (at < ends))
        assert found[inside] == value
