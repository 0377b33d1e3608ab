"""A series of values reduced to buckets of time: least, greatest, sum and number of the values in each.

Buckets are aligned: each starts at a multiple of its length since 1970, so that two queries, or the end of one day and
the start of the next, share their borders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import Integers, Times

#: Length of the buckets that are kept beside each column, ms.
BUCKET_MS = 900_000
#: Lengths that a person reads easily, ms: 1 s to 1 day; those from `BUCKET_MS` on are multiples of it.
_LENGTHS_MS = tuple(
    1000 * s
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)
)
_DAY_MS = 86_400_000


@dataclass(frozen=True, eq=False)
class Buckets:
    """What the values in each of some buckets come to, in order of time; `counts` is never 0."""

    starts_ms: Times
    mins: Integers
    maxs: Integers
    sums: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean of each bucket's values, each value weighing the same."""
        return self.sums / self.counts


_NO_TIMES, _NO_VALUES = np.zeros(0, np.int64), np.zeros(0, np.int32)
_NONE = Buckets(_NO_TIMES, _NO_VALUES, _NO_VALUES, _NO_TIMES, _NO_TIMES)


def length_for(span_ms: int, points: int) -> int:
    """The shortest length (ms) of aligned buckets of which at most `points` meet a span of so many ms."""
    for length_ms in _LENGTHS_MS:
        if _most(span_ms, length_ms) <= points:
            return length_ms
    days = 1
    while _most(span_ms, days * _DAY_MS) > points and days * _DAY_MS < 2 * span_ms:
        days += 1
    return days * _DAY_MS


def _most(span_ms: int, length_ms: int) -> int:
    """How many aligned buckets a span can meet at most, wherever it begins."""
    return (span_ms + length_ms - 2) // length_ms + 1


def reduce(times_ms: Times, values: Integers, length_ms: int) -> Buckets:
    """The buckets of values at rising times."""
    starts = times_ms - times_ms % length_ms
    firsts = _firsts(starts)
    wide = values.astype(np.int64)
    return Buckets(
        starts[firsts],
        np.minimum.reduceat(values, firsts),
        np.maximum.reduceat(values, firsts),
        np.add.reduceat(wide, firsts),
        np.diff([*firsts, len(starts)]).astype(np.int64),
    )


def combine(pieces: Sequence[Buckets], length_ms: int) -> Buckets:
    """The same values in longer buckets; pieces may come in any order, and several may have one and the same bucket.

    `length_ms` is a multiple of the length that all pieces have.
    """
    if not pieces:
        return _NONE
    starts = np.concatenate([each.starts_ms for each in pieces])
    order = np.argsort(starts, kind="stable")
    starts = starts[order] - starts[order] % length_ms
    firsts = _firsts(starts)
    return Buckets(
        starts[firsts],
        np.minimum.reduceat(np.concatenate([each.mins for each in pieces])[order], firsts),
        np.maximum.reduceat(np.concatenate([each.maxs for each in pieces])[order], firsts),
        np.add.reduceat(np.concatenate([each.sums for each in pieces])[order], firsts),
        np.add.reduceat(np.concatenate([each.counts for each in pieces])[order], firsts),
    )


def _firsts(starts: Times) -> NDArray[np.intp]:
    """Where each run of equal starts begins."""
    return np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1))
