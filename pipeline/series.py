"""What a query gives: one sensor's values over time, at full resolution or in buckets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.buckets import Buckets
from pipeline.columns import Times
from pipeline.sensors import Sensor


@dataclass(frozen=True, eq=False)
class Series:
    """Every value of a sensor in a window, in `sensor.unit`, with its time; a row without one has no entry."""

    sensor: Sensor
    times_ms: Times
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReducedSeries:
    """A sensor's values in a window, in `sensor.unit`, reduced to buckets of `length_ms` that hold any: the start of
    each, the least and the greatest value, the mean of all, and their number.
    """

    sensor: Sensor
    length_ms: int
    times_ms: Times
    mins: NDArray[np.float64]
    means: NDArray[np.float64]
    maxs: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, sensor: Sensor, length_ms: int, found: Buckets) -> ReducedSeries:
        """The series whose raw integers come to these buckets."""
        mins, means, maxs = (raw / sensor.divisor for raw in (found.mins, found.means, found.maxs))
        return cls(sensor, length_ms, found.starts_ms, mins, means, maxs, found.counts)
