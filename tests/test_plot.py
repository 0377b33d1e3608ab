from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gap import LOGGER_OFF, Gap
from pipeline.plot import Plot, marks, runs
from pipeline.quality import FALL, JUMP, Step
from pipeline.sensors import sensor
from pipeline.series import ReducedSeries, Series
from pipeline.trust import Wrong

#: The controller's own log has a record a minute, ms.
MINUTE = 60_000

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


def logged(*times: int) -> tuple[Gap, list[int]]:
    """A gap of six minutes between readings that lie 5 s apart, and all times with these of the log, which fill it."""
    gap = Gap(20_000, 20_000 + 6 * MINUTE, 71, 71, LOGGER_OFF, 70, "log")
    return gap, [10_000, 15_000, gap.from_ms, *times, gap.to_ms, gap.to_ms + 5000, gap.to_ms + 10_000]


def run_spans(gap: Gap, times: list[int]) -> list[tuple[int, int]]:
    starts, ends, _ = runs(np.array(times, np.int64), np.zeros(len(times)), 5000, [gap])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def test_run_goes_on_over_rows_of_the_log_that_lie_further_apart_than_readings() -> None:
    gap, times = logged(*range(30_000, 6 * MINUTE, MINUTE))
    assert run_spans(gap, times) == [(10_000, gap.to_ms + 15_000)]


def test_run_goes_on_over_a_single_row_of_the_log() -> None:
    gap, times = logged(3 * MINUTE)
    assert run_spans(gap, times) == [(10_000, gap.to_ms + 15_000)]


def test_run_ends_a_minute_behind_the_last_row_of_the_log_and_at_once_behind_the_last_reading() -> None:
    gap, times = logged(MINUTE)
    assert run_spans(gap, times) == [(10_000, 2 * MINUTE), (gap.to_ms, gap.to_ms + 15_000)]
    gap, times = logged(5 * MINUTE)
    assert run_spans(gap, times) == [(10_000, 25_000), (5 * MINUTE, gap.to_ms + 15_000)]


def test_run_of_which_the_log_knows_nothing_ends_at_the_gap() -> None:
    gap, times = logged()
    assert run_spans(gap, times) == [(10_000, 25_000), (gap.to_ms, gap.to_ms + 15_000)]


@pytest.mark.parametrize(("filled", "ends"), [(70, 1), (0, 3)])
def test_plot_heeds_the_gaps_that_were_filled_and_no_others(filled: int, ends: int) -> None:
    gap, times = logged(3 * MINUTE)
    plot = Plot({}, [replace(gap, filled=filled)])
    plot.add_runs(series(FLOW, times, [0.0] * len(times)), 5000)
    assert len(plot.document()["series"][0]["ends"]) == ends


def test_run_that_the_window_ends_in_the_log_lasts_a_minute_more() -> None:
    gap, times = logged(MINUTE, 2 * MINUTE)
    assert run_spans(gap, times[:-3]) == [(10_000, 3 * MINUTE)]
