"""A second logger that follows another one through its readings and does nothing else; its files say what is right."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path

from pipeline.clock import parse_utc_text, to_ms
from pipeline.part import list_parts
from pipeline.window import KINDS
from stages.write import BATCH
from tests.chaos.tally import BrokenError, Tally
from tests.parts import each_stored, open_shards
from tests.rollups import make_all, make_rollup

#: Days of shards that a weekly to come may need.
_NEEDED = timedelta(days=8)


class Undisturbed:
    """Follows the logger of a folder from a moment on; `journal` is what that one's pump sent."""

    def __init__(self, folder: Path, followed: Path, journal: Path, since: datetime) -> None:
        self._folder = folder
        self._followed = followed
        self._journal = journal
        self._since_ms = to_ms(since)
        self._told = 0

    def follow(self, until: datetime) -> Tally:
        """Take over what was stored since the last time; gives the tally of it.

        Raises:
            BrokenError: readings were stored that were never sent.
        """
        until_ms = to_ms(until)
        sent = Counter(self._sent(until_ms))
        there: Counter[str] = Counter()
        shards, readings = open_shards(self._folder), each_stored(self._followed, self._since_ms, until_ms)
        while batch := list(islice(readings, BATCH)):
            there.update(sha256(reading.answer.pack()).hexdigest() for reading in batch)
            shards.append(batch)
        self._since_ms = until_ms
        if foreign := there.keys() - sent.keys():
            raise BrokenError(f"{len(foreign)} readings in {self._followed} were never sent")
        counts = {"served": sent.total(), "stored": (sent & there).total()}
        return Tally(**counts, lost=(sent - there).total(), doubled=(there - sent).total())

    def compare(self, day: date, now: datetime) -> None:
        """Hold the files whose windows ended on a day against those of the second logger, and forget what is old.

        Raises:
            BrokenError: one is missing or not the same.
        """
        make_all(make_rollup(self._folder, now=now, retention_days=1))
        for kind in KINDS:
            name = f"{kind}/{day}_{kind}.csv"
            found = self._followed / name
            if not found.exists() or not filecmp.cmp(self._folder / name, found, shallow=False):
                raise BrokenError(f"{found} is not what an undisturbed logger makes")
            shutil.rmtree(self._folder / kind)
        for part, path in list_parts(self._folder / "shards").items():
            if part.day < day - _NEEDED:
                path.unlink()

    def _sent(self, until_ms: int) -> list[str]:
        """Digests of what the journal has got since the last time, up to a moment."""
        with self._journal.open("rb") as file:
            file.seek(self._told)
            lines = [line for line in file if parse_utc_text(json.loads(line)["sent"]) < until_ms]
        self._told += sum(map(len, lines))
        return [json.loads(line)["sha256"] for line in lines]
