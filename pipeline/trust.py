"""Which values of a counter nobody should be shown: those between an impossible step and the one that undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.quality import FALL, JUMP, RETURN, Step

#: A range that nothing ends.
_FOR_EVER_MS = 1 << 62


@dataclass(frozen=True)
class Wrong:
    """Values of [start, end) ms that cannot be right."""

    start_ms: int
    end_ms: int


def wrong(steps: Iterable[Step]) -> list[Wrong]:
    """The ranges of one counter that its impossible steps, in order of time, leave without a believable value.

    After a jump the counter is too high until it falls; after a fall that a return undoes it was too low in between. A
    fall that nothing undoes is a counter that was reset, which goes on from there.
    """
    found: list[Wrong] = []
    jumped: int | None = None
    fell: int | None = None
    for step in steps:
        if step.mark == JUMP:
            jumped = step.time_ms if jumped is None else jumped
        elif step.mark == FALL:
            if jumped is not None:
                found.append(Wrong(jumped, step.time_ms))
                jumped = None
            else:
                fell = step.time_ms
        elif step.mark == RETURN and fell is not None:
            found.append(Wrong(fell, step.time_ms))
            fell = None
    if jumped is not None:
        found.append(Wrong(jumped, _FOR_EVER_MS))
    return found


def by_column(steps: Sequence[Step]) -> dict[str, list[Wrong]]:
    """The ranges of every counter that has any, by column."""
    columns: dict[str, list[Step]] = {}
    for step in sorted(steps, key=lambda one: one.time_ms):
        columns.setdefault(step.column, []).append(step)
    return {column: ranges for column, ones in columns.items() if (ranges := wrong(ones))}
