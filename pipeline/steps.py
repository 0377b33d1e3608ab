"""Readings reduced to steps of one length, aligned to the wall clock of the polls.

A step of up to an hour stays apart from that of the same name in the hour that comes twice when the clocks change; a
longer one, a day above all, holds both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import Column, Columns, Integers, Mask, merged
from pipeline.sensors import Sensor
from pipeline.table import LAST, MEAN, Block, Cells, Field, reduction

_HOUR_MS = 3_600_000
#: Decimals that a mean has more than the values it is made of.
_MORE_DECIMALS = 2

Places = NDArray[np.intp]


def steps(fields: Sequence[Field], pieces: Iterator[Columns], length_ms: int) -> Iterator[Block]:
    """A row for each step that has a reading; a step may begin in one piece and end in the next."""
    waiting = merged([])
    for piece in pieces:
        waiting = merged([waiting, piece])
        firsts, _ = _starts(waiting, length_ms)
        last = int(firsts[-1]) if len(firsts) else 0
        if last:
            yield _block(fields, waiting.cut(slice(0, last)), length_ms)
            waiting = waiting.cut(slice(last, None))
    if len(waiting.times_ms):
        yield _block(fields, waiting, length_ms)


def _starts(columns: Columns, length_ms: int) -> tuple[Places, NDArray[np.int64]]:
    """The place of the first row of each step, and when (ms since 1970) each step begins."""
    offsets_ms = columns.offsets_s.spread(len(columns.times_ms)).astype(np.int64) * 1000
    wall = columns.times_ms + offsets_ms
    floor = wall - wall % length_ms
    starts = floor - offsets_ms if length_ms <= _HOUR_MS else floor
    firsts = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
    return firsts, floor[firsts] - offsets_ms[firsts]


def _block(fields: Sequence[Field], columns: Columns, length_ms: int) -> Block:
    rows = len(columns.times_ms)
    firsts, starts = _starts(columns, length_ms)
    counts = np.diff([*firsts, rows]).astype(np.int32)
    cells = [_cells(columns.columns.get(field.sensor), field.sensor, firsts, rows) for field in fields]
    return Block(starts, columns.offsets_s.spread(rows)[firsts], counts, cells)


def _cells(column: Column | None, sensor: Sensor, firsts: Places, rows: int) -> Cells:
    if column is None or column.is_constant:
        return Cells.of(column, sensor)
    values, mask = column.spread(rows), column.mask(rows)
    how = reduction(sensor)
    reduced = {MEAN: _means, LAST: _lasts}.get(how, _longest)
    found, present = reduced(values, mask, firsts)
    if how == MEAN:
        decimals = len(str(sensor.divisor)) - 1 + _MORE_DECIMALS
        # Adding nothing makes a negative zero a plain one.
        return Cells(np.round(found / sensor.divisor, decimals) + 0.0, present)
    return Cells(found / sensor.divisor, present)


def _means(values: Integers, mask: Mask, firsts: Places) -> tuple[NDArray[Any], Mask]:
    sums = np.add.reduceat(np.where(mask, values, 0).astype(np.int64), firsts)
    counts = np.add.reduceat(mask.astype(np.int64), firsts)
    return sums / np.maximum(counts, 1), counts > 0


def _lasts(values: Integers, mask: Mask, firsts: Places) -> tuple[NDArray[Any], Mask]:
    places = np.maximum.reduceat(np.where(mask, np.arange(len(values)), -1), firsts)
    return values[np.maximum(places, 0)], places >= 0


def _longest(values: Integers, mask: Mask, firsts: Places) -> tuple[NDArray[Any], Mask]:
    """The value that most readings of each step have; of several the one that came up first."""
    owners = np.repeat(np.arange(len(firsts)), np.diff([*firsts, len(values)]))
    pairs = np.stack([owners[mask], values[mask]])
    unique, begins, counts = np.unique(pairs, axis=1, return_index=True, return_counts=True)
    # The last of each step in this order is the one with most readings, and of those the earliest.
    order = np.lexsort((-begins, counts, unique[0]))
    found = np.zeros(len(firsts), np.int64)
    found[unique[0][order]] = unique[1][order]
    return found, np.bincount(unique[0], minlength=len(firsts)) > 0
