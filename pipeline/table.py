"""A table to hand out: readings, or steps of time, in rows, with a column for each chosen sensor.

It comes in blocks of about a day, so that a year needs no more memory than a week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import Column, Columns, Integers, Mask, Times
from pipeline.sensors import Sensor

#: How the readings of a step become one value: their mean, the last one, or the value that most of them have.
MEAN, LAST, LONGEST = "mean", "last", "longest"

#: Data types that measure something; of these a mean says something.
_MEASURES = frozenset(
    {"Celsius", "Flow", "Frequency", "Kelvin", "Percent", "Percent2", "Power", "Pressure", "Speed", "Voltage"}
)
#: Data types that count up, or tell when something was: the last one is the newest.
_COUNTERS = frozenset({"Count", "Energy", "Hours", "Pulses", "Seconds", "Timestamp"})


def reduction(sensor: Sensor) -> str:
    """How a sensor's readings become one; settings, states and what nobody knows are never mixed to a new value."""
    if sensor.group != "calculations":
        return LONGEST
    if sensor.data_type in _MEASURES:
        return MEAN
    return LAST if sensor.data_type in _COUNTERS else LONGEST


@dataclass(frozen=True)
class Field:
    """A column: its sensor, and its name, which is the sensor's unless another sensor before it has that."""

    name: str
    sensor: Sensor


def fields(sensors: Sequence[Sensor]) -> list[Field]:
    """A column for each sensor; the second one of a name is called `NAME.2`."""
    seen: Counter[str] = Counter()
    found = []
    for sensor in sensors:
        seen[sensor.name] += 1
        suffix = f".{seen[sensor.name]}" if seen[sensor.name] > 1 else ""
        found.append(Field(sensor.name + suffix, sensor))
    return found


@dataclass(frozen=True, eq=False)
class Cells:
    """A column's values in its sensor's unit, one a row or a single one for all; `present` None: all rows have one."""

    values: NDArray[np.float64]
    present: Mask | None = None

    @classmethod
    def of(cls, column: Column | None, sensor: Sensor) -> Cells:
        """Those of a column of raw integers; none at all where a block lacks it."""
        if column is None:
            return cls(np.zeros(1), np.zeros(1, np.bool_))
        return cls(column.values / sensor.divisor, column.present)


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows: `times_ms` rise; `third` is where each reading is from (a place in `columns.SOURCES`), or in a table
    of steps how many readings each has; `cells` are in the order of the fields.
    """

    times_ms: Times
    offsets_s: Integers
    third: Integers
    cells: list[Cells]


@dataclass(frozen=True, eq=False)
class Table:
    """Its columns, the length of its steps (ms; None: a row is a reading), and its rows."""

    fields: Sequence[Field]
    step_ms: int | None
    blocks: Iterator[Block]

    @property
    def lead(self) -> tuple[str, str, str]:
        """The names of the columns before the sensors' own."""
        return ("time", "local_time", "readings" if self.step_ms else "source")


def readings(fields: Sequence[Field], pieces: Iterator[Columns]) -> Iterator[Block]:
    """A row for each reading."""
    for piece in pieces:
        rows = len(piece.times_ms)
        cells = [Cells.of(piece.columns.get(field.sensor), field.sensor) for field in fields]
        yield Block(piece.times_ms, piece.offsets_s.spread(rows), piece.sources.spread(rows), cells)
