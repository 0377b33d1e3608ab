"""Proof before trust: a field of the controller's log against the pump's own readings of the same time.

Both are momentary samples of one integer, at most a minute apart. A bit or a state has to be the same as in the reading
nearest to it; a value may differ by its tolerance and by what the pump's own readings move from one to the next around
it, so that what stands still has to agree to the tolerance alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The nearest reading may lie so far from a record, milliseconds.
NEAR_MS = 60_000
#: Milliseconds around a record in which the pump's own steps count, and tolerances that a step may have: where values
#: jump, agreeing means nothing.
STEPS_MS, MOST_STEP = 600_000, 20
#: Agreeing minutes that prove a field, and the share of all compared ones that they must be.
_LEAST, _SHARE = 30, 0.98

Times = NDArray[np.int64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Verdict:
    """How many minutes of a field could be compared, and how many of them agreed."""

    compared: int
    agreed: int

    @property
    def is_proven(self) -> bool:
        """Whether the pump itself showed that the field is what it is taken for."""
        return self.agreed >= _LEAST and not self.is_refuted

    @property
    def is_refuted(self) -> bool:
        """Whether the field says something else than the pump."""
        return self.agreed < _SHARE * self.compared


def compare(times: Times, values: Integers, live_times: Times, live_values: Integers, tolerance: int) -> Verdict:
    """A field's values at rising times (ms) against the pump's at others, both raw integers; `tolerance` is 0 for what
    has to be the same.
    """
    if not len(live_times):
        return Verdict(0, 0)
    nearest = _nearest(times, live_times)
    compared = np.abs(live_times[nearest] - times) <= NEAR_MS
    allowed = np.zeros(len(times), np.int64)
    if tolerance:
        steps = _largest_steps(times, live_times, live_values)
        compared &= steps <= MOST_STEP * tolerance
        allowed = steps + tolerance
    agreed = compared & (np.abs(live_values[nearest] - values) <= allowed)
    return Verdict(int(compared.sum()), int(agreed.sum()))


def _nearest(times: Times, live_times: Times) -> NDArray[np.intp]:
    """For each time the place of the live one that lies nearest; of two the earlier."""
    behind = np.clip(np.searchsorted(live_times, times), 1, max(len(live_times) - 1, 1))
    before = behind - 1
    behind = np.minimum(behind, len(live_times) - 1)
    return np.where(times - live_times[before] <= live_times[behind] - times, before, behind)


def _largest_steps(times: Times, live_times: Times, live_values: Integers) -> Integers:
    """The largest step from one live value to the next around each time; 0 where there are no two."""
    steps = np.abs(np.diff(live_values))
    steps[np.diff(live_times) > STEPS_MS] = 0  # over a gap it tells nothing
    first = np.searchsorted(live_times, times - STEPS_MS, "left")
    behind = np.maximum(np.searchsorted(live_times, times + STEPS_MS, "right") - 1, first)
    borders = np.minimum(np.column_stack([first, behind]).ravel(), len(steps))
    # A range may end behind the last step, where `reduceat` takes no border; an empty one gives the step at its begin.
    found = np.maximum.reduceat(np.append(steps, 0), borders)[::2]
    return np.where(first < behind, found, 0)
