"""Readings column by column: the raw integers of each sensor over the rows of a local day, gaps as gaps.

Most of a controller's values never change in a day, so a column that does not is one integer. Others are 32-bit
integers, one a row, with a mask where a row has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.gap import Gap
from pipeline.rows import RowChanges
from pipeline.schema import LIVE, LOG
from pipeline.sensors import Sensor

#: Where a row can come from.
SOURCES = (LIVE, LOG)

Times = NDArray[np.int64]
Integers = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Column:
    """One sensor's raw integers: `values` holds one a row, or a single one that all rows have; `present` says which
    rows have one, None that all do.
    """

    values: Integers
    present: Mask | None = None

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value."""
        return self.present is None and len(self.values) == 1

    def spread(self, rows: int) -> Integers:
        """One value for each of so many rows; what stands where a row has none means nothing."""
        return np.repeat(self.values, rows) if len(self.values) == 1 else self.values

    def mask(self, rows: int) -> Mask:
        """Which of so many rows have a value."""
        return np.ones(rows, np.bool_) if self.present is None else self.present

    def cut(self, rows: slice) -> Column:
        """The column of some of the rows."""
        if self.is_constant:
            return self
        return Column(self.values[rows], None if self.present is None else self.present[rows])


@dataclass(frozen=True, eq=False)
class Columns:
    """Rows with rising `times_ms` (UTC, ms since 1970), and the columns of all sensors that any of them has.

    `offsets_s` is the zone's offset from UTC at each poll, `sources` the place in `SOURCES` of where each row is from.
    """

    times_ms: Times
    offsets_s: Column
    sources: Column
    columns: Mapping[Sensor, Column]

    def cut(self, rows: slice) -> Columns:
        """Some of the rows."""
        columns = {sensor: column.cut(rows) for sensor, column in self.columns.items()}
        return Columns(self.times_ms[rows], self.offsets_s.cut(rows), self.sources.cut(rows), columns)

    def chosen(self, names: Collection[str]) -> Columns:
        """The columns of some names."""
        columns = {sensor: column for sensor, column in self.columns.items() if sensor.name in names}
        return replace(self, columns=columns)


class ColumnsBuilder:
    """Takes rows of one schema, each as what changed since the row before."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self._sensors = sensors
        self._times: list[int] = []
        self._offsets: list[int] = []
        self._sources: list[int] = []
        self._at: list[list[int]] = [[] for _ in sensors]
        self._raw: list[list[int | None]] = [[] for _ in sensors]

    def add(self, row: RowChanges) -> None:
        """Take the next row.

        Raises:
            ValueError: it comes from nowhere that is known.
        """
        self._sources.append(SOURCES.index(row.source))
        self._offsets.append(row.offset_s)
        at = len(self._times)
        self._times.append(row.time_ms)
        for place, raw in row.cells:
            self._at[place].append(at)
            self._raw[place].append(raw)

    def build(self) -> Columns:
        """What was added; a sensor that no row has is left out."""
        rows = len(self._times)
        places = [i for i, raws in enumerate(self._raw) if any(raw is not None for raw in raws)]
        found = {self._sensors[i]: _column(self._at[i], self._raw[i], rows) for i in places}
        return Columns(np.array(self._times, np.int64), _dense(self._offsets), _dense(self._sources), found)


def _dense(values: Sequence[int]) -> Column:
    """A column of one value a row."""
    found = np.array(values[:1] if len(set(values)) == 1 else values, np.int32)
    return Column(found)


def _column(at: list[int], raws: list[int | None], rows: int) -> Column:
    if len(at) == 1 and at[0] == 0 and raws[0] is not None:
        return Column(np.array(raws, np.int32))
    # Rows before the first change have no value: the cells before the first row are blank.
    starts = [0, *at] if at[0] else at
    known = [None, *raws] if at[0] else raws
    lengths = np.diff([*starts, rows])
    values = np.repeat(np.array([raw or 0 for raw in known], np.int32), lengths)
    if None not in known:
        return Column(values)
    return Column(values, np.repeat(np.array([raw is not None for raw in known]), lengths))


def merged(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts as one, rising in time; of equal times the first part's row comes first."""
    filled = [part for part in parts if len(part.times_ms)]
    if len(filled) == 1:
        return filled[0]
    times = np.concatenate([part.times_ms for part in filled]) if filled else np.zeros(0, np.int64)
    order = np.argsort(times, kind="stable")
    names: dict[Sensor, Any] = {sensor: None for part in filled for sensor in part.columns}
    return Columns(
        times[order],
        _joined([part.offsets_s for part in filled], filled, order),
        _joined([part.sources for part in filled], filled, order),
        {each: _joined([part.columns.get(each) for part in filled], filled, order) for each in names},
    )


def overlaid(columns: Columns, wanted: Mapping[tuple[str, str, int], Sensor]) -> Columns:
    """The columns of all sensors of each meaning as one: a row has only one of them; others are left out."""
    found: dict[Sensor, Column] = {}
    rows = len(columns.times_ms)
    for sensor, column in columns.columns.items():
        if one := wanted.get(sensor.meaning):
            found[one] = _laid(found[one], column, rows) if one in found else column
    return replace(columns, columns=found)


def _laid(under: Column, over: Column, rows: int) -> Column:
    upper = over.mask(rows)
    present = under.mask(rows) | upper
    values = np.where(upper, over.spread(rows), under.spread(rows))
    return Column(values, None if present.all() else present)


def _joined(found: Sequence[Column | None], parts: Sequence[Columns], order: NDArray[np.intp]) -> Column:
    constants = {int(each.values[0]) if each and each.is_constant else None for each in found}
    if len(constants) == 1 and None not in constants:
        return Column(np.array(list(constants), np.int32))
    pieces, masks = [], []
    for part, column in zip(parts, found, strict=True):
        rows = len(part.times_ms)
        pieces.append(column.spread(rows) if column else np.zeros(rows, np.int32))
        masks.append(column.mask(rows) if column else np.zeros(rows, np.bool_))
    if not parts:
        return Column(np.zeros(0, np.int32))
    present = np.concatenate(masks)[order]
    return Column(np.concatenate(pieces)[order], None if present.all() else present)


def inside(times_ms: Times, gaps: Iterable[Gap]) -> Mask:
    """Which of rising times lie between the readings at the ends of a gap."""
    found = np.zeros(len(times_ms), np.bool_)
    for gap in gaps:
        first, last = np.searchsorted(times_ms, gap.from_ms, "right"), np.searchsorted(times_ms, gap.to_ms)
        found[first:last] = True
    return found
