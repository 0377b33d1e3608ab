"""Series as a chart wants them: plain lists that JSON can hold, equal times once, gaps and marks beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.clock import utc_text
from pipeline.columns import Times, inside
from pipeline.gap import Gap
from pipeline.quality import Step
from pipeline.sensors import Sensor
from pipeline.series import ReducedSeries, Series
from pipeline.trust import Wrong

Document = dict[str, Any]

#: Decimals that a mean has more than the values themselves.
_MEAN_DECIMALS = 2
#: Intervals between two readings above which some are missing.
_MOST_INTERVALS = 3.5
#: How far rows of the controller's own log, which gaps are filled from, lie apart (ms).
_LOGGED_MS = 60_000
#: A step (ms) that is none.
_NEVER = 1 << 62


class Plot:
    """Collects series; `wrong` has the ranges of each column whose values are left out, `gaps` those of the time."""

    def __init__(self, wrong: Mapping[str, Sequence[Wrong]], gaps: Sequence[Gap] = ()) -> None:
        self._wrong = wrong
        self._filled = [gap for gap in gaps if gap.filled]
        self._times: list[list[int]] = []
        self._places: dict[bytes, int] = {}
        self._series: list[Document] = []
        self._step_ms: int | None = None

    def add(self, series: Series | ReducedSeries) -> None:
        """Take one more series."""
        self._series.append(self._reduced(series) if isinstance(series, ReducedSeries) else self._whole(series))

    def add_runs(self, series: Series, interval_ms: int) -> None:
        """Take the series of a state as runs of one value: each from its first reading to the next one's, or, where
        readings are missing behind it, past its last by as much as readings lie apart.
        """
        kept = self._kept(series.sensor, series.times_ms, 0)
        starts, ends, values = runs(series.times_ms[kept], series.values[kept], interval_ms, self._filled)
        head = self._head(series.sensor, starts)
        self._series.append(head | {"ends": ends.tolist(), "values": values.tolist()})

    def document(self) -> Document:
        """`step_ms` (None at full resolution), `times` (ms) and `series`, each with the place of its times."""
        return {"step_ms": self._step_ms, "times": self._times, "series": self._series}

    def _whole(self, series: Series) -> Document:
        kept = self._kept(series.sensor, series.times_ms, 0)
        return self._head(series.sensor, series.times_ms[kept]) | {"values": series.values[kept].tolist()}

    def _reduced(self, series: ReducedSeries) -> Document:
        self._step_ms = series.length_ms
        kept = self._kept(series.sensor, series.times_ms, series.length_ms)
        decimals = len(str(series.sensor.divisor)) - 1 + _MEAN_DECIMALS
        return self._head(series.sensor, series.times_ms[kept]) | {
            "min": series.mins[kept].tolist(),
            "mean": np.round(series.means[kept], decimals).tolist(),
            "max": series.maxs[kept].tolist(),
            "count": series.counts[kept].tolist(),
        }

    def _head(self, sensor: Sensor, times_ms: Times) -> Document:
        return {"name": sensor.name, "unit": sensor.unit, "t": self._place(times_ms)}

    def _place(self, times_ms: Times) -> int:
        key = times_ms.tobytes()
        if key not in self._places:
            self._places[key] = len(self._times)
            self._times.append(times_ms.tolist())
        return self._places[key]

    def _kept(self, sensor: Sensor, times_ms: Times, length_ms: int) -> NDArray[np.bool_]:
        """Which values, or buckets of a length, have none that is wrong."""
        kept = np.ones(len(times_ms), np.bool_)
        for one in self._wrong.get(sensor.name, ()):
            kept &= (times_ms + max(length_ms, 1) <= one.start_ms) | (times_ms >= one.end_ms)
        return kept


def runs(
    times_ms: Times, values: NDArray[np.float64], interval_ms: int, filled: Sequence[Gap] = ()
) -> tuple[Times, Times, NDArray[np.float64]]:
    """Where runs of one value begin and end (ms), and their values; no run goes on over missing readings. In `filled`
    gaps rows of the controller's own log count as readings.
    """
    if not len(times_ms):
        return times_ms, times_ms, values
    steps = np.diff(times_ms)
    usual = _usual(steps, interval_ms)
    is_logged = inside(times_ms, filled)
    minute = np.maximum(usual, _LOGGED_MS)
    is_missing = steps > _MOST_INTERVALS * np.where(is_logged[:-1] | is_logged[1:], minute, usual)
    cuts = np.flatnonzero(is_missing | (np.diff(values) != 0)) + 1
    firsts = np.concatenate([np.zeros(1, np.intp), cuts])
    past = times_ms[:-1] + np.where(is_logged[:-1], minute, usual)
    nexts = np.where(is_missing[cuts - 1], past[cuts - 1], times_ms[cuts])
    last = max(interval_ms, int(steps[-2:].min(initial=_NEVER)) % _NEVER, _LOGGED_MS * int(is_logged[-1]))
    return times_ms[firsts], np.append(nexts, times_ms[-1] + last).astype(np.int64), values[firsts]


def _usual(steps: Times, interval_ms: int) -> Times:
    """How far readings lie apart before or after each of their steps: another interval may have been set at that time.

    The smaller of two on each side counts, so that a lone reading between two gaps does not make them usual.
    """
    padded = np.pad(steps, 2, constant_values=_NEVER)
    before, after = (np.minimum(padded[i : len(steps) + i], padded[i + 1 : len(steps) + i + 1]) for i in (0, 3))
    usual: Times = np.maximum(np.maximum(before % _NEVER, after % _NEVER), interval_ms)
    return usual


def marks(steps: Sequence[Step], names: Sequence[str], start_ms: int, end_ms: int) -> list[Document]:
    """The impossible steps of some sensors in [start, end), in order of time."""
    wanted = [step for step in steps if step.column in names and start_ms <= step.time_ms < end_ms]
    wanted.sort(key=lambda step: (step.time_ms, step.column))
    return [{"time": utc_text(step.time_ms), "column": step.column, "mark": step.mark} for step in wanted]
