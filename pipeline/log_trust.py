"""Which fields of a log are trusted, and how far the controller's clock is from ours.

The pump itself proves a field: it is trusted where it says what was read live in the same minutes. Without minutes to
compare, only fields whose meaning is sure are taken. The log's times are those of the controller's clock, which
calculation 134 of every reading tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from pipeline import sensors
from pipeline.clock import from_ms, to_ms
from pipeline.columns import Columns
from pipeline.errors import ProcessLogError
from pipeline.log_proof import Integers, Times, Verdict, compare
from pipeline.processlog import Field, ProcessLog, calculation_of, is_sure
from pipeline.sensors import Sensor

#: Seconds by which a clock may be off where nothing explains it, and by which it may wander while a log is kept.
_MOST_OFF_S = 600
#: Seconds around a log in which readings tell of its clock.
_AROUND_S = 7200


@dataclass(frozen=True)
class Judged:
    """A field, the sensor that it is taken for, what the comparison found, and whether it is trusted."""

    field: Field
    sensor: Sensor
    verdict: Verdict
    is_trusted: bool
    why: str

    def document(self) -> dict[str, Any]:
        """The same as the members of a JSON object."""
        name = {"category": self.field.category, "field": self.field.name, "sensor": self.sensor.name}
        counts = {"compared": self.verdict.compared, "agreed": self.verdict.agreed}
        return name | {"accepted": self.is_trusted, "why": self.why} | counts


def behind_s(log: ProcessLog, live: Columns, now: datetime) -> int | None:
    """Seconds to add to the log's times to have ours; None where no reading tells, and the log looks right as it is.

    Raises:
        ProcessLogError: the controller's clock was set while the log was kept, or is off and nothing explains it.
    """
    column = live.columns.get(_sensor(sensors.CLOCK, live))
    if column is not None:
        told = column.mask(len(live.times_ms))
        clock_s = column.spread(len(live.times_ms))[told].astype(np.int64)
        around = (clock_s >= log.times_s[0] - _AROUND_S) & (clock_s <= log.times_s[-1] + _AROUND_S)
        if around.any():
            return _steady((live.times_ms[told] / 1000 - clock_s)[around])
    if from_ms(log.times_s[-1] * 1000) > from_ms(to_ms(now) + _MOST_OFF_S * 1000):
        raise ProcessLogError(
            f"the process log ends at {from_ms(log.times_s[-1] * 1000):%Y-%m-%d %H:%M} UTC, after now",
            hint="no reading of its time tells how far the controller's clock is off; is this machine's right?",
        )
    return None


def _steady(behind: np.ndarray[Any, np.dtype[np.float64]]) -> int:
    low, middle, high = np.percentile(behind, [5, 50, 95])
    if high - low > _MOST_OFF_S:
        raise ProcessLogError(
            f"the controller's clock moved by {high - low:.0f} s while the process log was kept",
            hint="its times cannot be told; the next log may be sound",
        )
    return round(float(middle))


def judge(log: ProcessLog, times_ms: Times, live: Columns) -> Iterator[Judged]:
    """A verdict on each field of a log that is one of our sensors; `times_ms` are the log's times by our clock."""
    for field in log.fields:
        index = calculation_of(field)
        if index is not None:
            yield _judged(field, _sensor(index, live), times_ms, np.array(log.column(field), np.int64), live)


def _sensor(index: int, live: Columns) -> Sensor:
    """A calculation's sensor as the readings around have it, else as the tables do."""
    known = [sensor for sensor in live.columns if sensor.group == "calculations" and sensor.index == index]
    return known[-1] if known else sensors.sensor("calculations", index)


def _judged(field: Field, sensor: Sensor, times_ms: Times, values: Integers, live: Columns) -> Judged:
    verdict = Verdict(0, 0)
    if column := live.columns.get(sensor):
        rows = column.mask(len(live.times_ms))
        found = column.spread(len(live.times_ms))[rows].astype(np.int64)
        verdict = compare(times_ms, values, live.times_ms[rows], found, _tolerance(field, sensor))
    counts = f"{verdict.agreed} of {verdict.compared} minutes agree"
    if verdict.is_proven:
        return Judged(field, sensor, verdict, True, counts)
    if verdict.is_refuted:
        return Judged(field, sensor, verdict, False, f"says something else than the pump: {counts}")
    if is_sure(field) and not field.hidden:
        return Judged(field, sensor, verdict, True, f"its meaning is sure; {counts}")
    return Judged(field, sensor, verdict, False, f"too few minutes to compare: {counts}")


def _tolerance(field: Field, sensor: Sensor) -> int:
    """A tenth of the unit for what moves slowly, as a raw integer; 0 for bits and states."""
    return max(sensor.divisor // 10, 1) if field.kind == "analogue" and not sensor.codes else 0
