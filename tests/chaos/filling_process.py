"""A process that fills gaps from a log and dies at a chosen moment: `python -m tests.chaos.filling_process FOLDER NOW
LOG WHAT NTH`; WHAT and NTH as in `tests.killing`, NOW an ISO time."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from pipeline import derived, settings
from pipeline.gap_book import NAME, GapBook
from pipeline.history import TurnedClock
from pipeline.quarantine import Quarantine
from tests import killing
from tests.running import environment


def fill(folder: Path, now: datetime, content: bytes) -> int:
    """Take a log in, and bring the gap book up to date; gives how many days changed."""
    book = GapBook(folder / NAME, Quarantine(folder / "quarantine").keep)
    chosen = settings.load(environment(folder, ("127.0.0.1", 1)))
    stage = derived.backfill(chosen, book, clock=TurnedClock(now), interval_s=30)
    _, changed = stage.take(content, book.gaps(), "a log")
    stage.keep_book()
    return changed


def main() -> None:
    folder, now, content, what, nth = sys.argv[1:]
    read = Path(content).read_bytes()
    killing.arm(what, int(nth))
    fill(Path(folder), datetime.fromisoformat(now), read)


if __name__ == "__main__":
    main()
