"""The archive of a folder of shards as a new process finds it, and the stage that fills it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from pipeline import day_columns
from pipeline.archive import Archive
from pipeline.catalog import Catalog
from pipeline.shelf import Shelf
from stages.archive import Archiving
from tests.parts import BERLIN, TurnedClock

NAME = "archive.db"


def make_archive(folder: Path, name: str = NAME) -> Archive:
    """The archive in a file of this name, which need not be there."""
    shards = folder / "shards"
    known = (shards, Catalog(shards))
    read, room = partial(day_columns.read, *known), partial(day_columns.room, *known)
    (folder / "archive").mkdir(parents=True, exist_ok=True)
    return Archive(folder / "archive" / name, Shelf(shards, folder / "quarantine"), read, room)


def make_archiving(archive: Archive, now: datetime) -> Archiving:
    """The stage at a moment when no reading waits."""
    return Archiving(archive, zone=BERLIN, clock=TurnedClock(now))
