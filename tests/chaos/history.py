"""Some days before today in a data folder, and how their derived files are undone so that there is work again."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.reading import Answer, Reading
from pipeline.simulator_answers import Journal, Source, grown
from tests.chaos.examine import published_paths
from tests.parts import NOON, answer, open_shards, reading
from tests.running import numbered

#: Days of history, and readings of each.
_DAYS, _READINGS = 4, 40
#: Seconds between two readings of a day.
_STEP_S = 120
#: Numbers of the large answers in the history, far from those that the attack sends.
_FIRST = 2_000_000_000

_FULL_SIZE = grown(answer(), (1126, 260, 355))


def full_size(_moment: datetime) -> Answer:
    """As many values as a real controller answers: a line of them is cut by the border of two pages of a file."""
    return _FULL_SIZE


def seed(folder: Path, journal: Path) -> None:
    """Fill the days before today and tell the journal, as if a pump had sent all of it.

    Every third reading of yesterday has as many sensors as those of the attack: that day has two parts, which lie one
    in the other in time, so the files that hold it are merged row by row.
    """
    large = numbered(full_size, _FIRST)
    readings = [_reading(days, count, large) for days in range(_DAYS, 0, -1) for count in range(_READINGS)]
    open_shards(folder).append(readings)
    book = Journal(journal)
    for each in readings:
        book.add(each.answer, each.time_ms)
    book.close()


def _reading(days: int, count: int, large: Source) -> Reading:
    ago_s = (datetime.now(UTC).replace(hour=12) - NOON).total_seconds()
    small = reading(round(ago_s) - 86_400 * days + _STEP_S * count, days * 1000 + count)
    if days > 1 or count % 3:
        return small
    return replace(small, answer=large(NOON))


def undo(folder: Path, chance: random.Random) -> None:
    """Take some published files, some records of others and some compressed shards back, as a person may."""
    for path in published_paths(folder):
        record = path.with_name(path.name.removesuffix(".gz") + ".checkpoint")
        what = chance.random()
        if what < 0.3:
            path.unlink()
        elif what < 0.4:
            record.unlink(missing_ok=True)
    for path in sorted((folder / "shards").glob("*.csv.gz")):
        if chance.random() < 0.3:
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
