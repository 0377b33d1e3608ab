"""A durable book of a service's lives on one growing folder, so that a campaign that was broken off still counts right.

A life is noted before its process is started, with how many answers the pump had sent by then: so the book says of
each life which answer was its last, whatever was killed when.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True)
class Life:
    """One life: its round, the answers sent and the connections recorded before it."""

    round: int
    sent: int
    connections: int


class Lives:
    """The book in a file; one JSON object a line."""

    def __init__(self, path: Path, journal: Path) -> None:
        self._path = path
        self._journal = journal

    def begin(self, number: int, connections: int) -> None:
        """Note that the life of a round begins now; durable before anything else is done."""
        line = json.dumps(asdict(Life(number, self._sent(), connections))) + "\n"
        with self._path.open("ab") as book:
            book.truncate(self._path.read_bytes().rfind(b"\n") + 1)
            book.write(line.encode())
            book.flush()
            os.fsync(book.fileno())

    def all(self) -> list[Life]:
        """Every life, in order; a line that was torn when the campaign was killed began none."""
        lines = self._path.read_bytes().split(b"\n")[:-1] if self._path.exists() else []
        return [Life(**json.loads(line)) for line in lines]

    def ends(self) -> list[int]:
        """How many answers had been sent at the end of each life."""
        return [*(life.sent for life in self.all()[1:]), self._sent()]

    def broken_off(self) -> int:
        """How often the campaign was: each time it began a round again."""
        return sum(later.round <= earlier.round for earlier, later in pairwise(self.all()))

    def _sent(self) -> int:
        return self._journal.read_bytes().count(b"\n") if self._journal.exists() else 0
