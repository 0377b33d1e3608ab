"""Rows of a controller's own log that many tests share."""

from __future__ import annotations

from datetime import date

from pipeline.log_part import LogDay, LogRow
from pipeline.sensors import sensor
from tests.parts import reading

DAY = date(2026, 1, 5)
#: Flow and return temperature.
SENSORS = (sensor("calculations", 10), sensor("calculations", 11))
FLOW = SENSORS[0].name


def log_row(at_s: float, flow: int | None = 300, back: int | None = 5) -> LogRow:
    """A row so many seconds after noon in Berlin."""
    moment = reading(at_s)
    return LogRow(moment.time_ms, moment.offset_s, (flow, back))


def log_day(*rows: LogRow, day: date = DAY, interval_ms: int = 30_000) -> LogDay:
    """The rows of a local day."""
    return LogDay(day, SENSORS, rows, interval_ms)
