"""What an attack counts, and what an attack is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self


class BrokenError(AssertionError):
    """Raised when an attack left something behind that no count tells: a wrong file, a leftover, a traceback."""


@dataclass(frozen=True)
class Tally:
    """Answers after an attack: each one served is stored, in flight, reported lost, or lost.

    `in_flight` were sent and not yet committed to the queue when their process was killed, at most one a kill;
    `reported` are not stored and told by the logger, exactly; `lost` neither; `torn` counts lines that are no whole
    readings in shards and published files. `connections` is how many the pump recorded, each of them checked.
    """

    rounds: int = 0
    served: int = 0
    stored: int = 0
    in_flight: int = 0
    reported: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    connections: int = 0

    def __add__(self, other: Self) -> Tally:
        return Tally(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def holds(self) -> bool:
        """Whether the promises held: nothing lost, doubled or torn, and the sum is right."""
        whole = self.served == self.stored + self.in_flight + self.reported + self.lost
        return whole and not (self.lost or self.doubled or self.torn)


@dataclass(frozen=True)
class Attack:
    """One row of the campaign's table.

    `run(folder, rounds)` does these rounds in a folder and tallies them; a round's number is its seed, so that it does
    the same each time. The folder is empty, or, where `grows`, the one of all rounds before; then the tally is of all
    of them, and a batch that was broken off goes on in what it left. `share` says how many rounds there are of the
    campaign's ROUNDS, `batch` how many are done between two saves, `short` how many the tests do within 10 s.

    Raises:
        BrokenError: a promise that is no count did not hold.
    """

    number: int
    name: str
    about: str
    run: Callable[[Path, range], Tally]
    share: float = 1.0
    batch: int = 10
    short: int = 1
    grows: bool = False

    def rounds(self, total: int) -> int:
        """Rounds of this attack in a campaign of so many."""
        return max(round(total * self.share), self.short)
