"""What makes files from the shards, built from the settings: for the service and for commands by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from pathlib import Path

from pipeline import day_columns, log_fetch, log_part
from pipeline.archive import Archive, Damage
from pipeline.catalog import Catalog
from pipeline.clock import Clock
from pipeline.columns import Columns
from pipeline.gap_book import GapBook
from pipeline.lock import exclusive
from pipeline.log_import import LogImport
from pipeline.log_times import LogTimes
from pipeline.places import ARCHIVE, QUARANTINE, ROLLUP_LOCK
from pipeline.settings import Settings
from pipeline.shelf import Shelf
from stages.backfill import Backfill
from stages.rollup import Rollup


def rollup(settings: Settings, *, clock: Clock, oldest_waiting: Callable[[], int | None] = lambda: None) -> Rollup:
    """The rollup stage alone, as the service and the command by hand use it."""
    return Rollup(
        Shelf(settings.output.shards, settings.data_dir / QUARANTINE),
        kinds(settings),
        csv_time=settings.csv_time,
        zone=settings.zone,
        retention_days=settings.csv_retention_days,
        clock=clock,
        lock=lock(settings),
        oldest_waiting=oldest_waiting,
    )


def archive(
    settings: Settings,
    catalog: Catalog | None = None,
    damage: Damage | None = None,
    read: Callable[[date], tuple[Columns, Sequence[str]]] | None = None,
) -> Archive:
    """The archive alone, as the service fills it and commands read it; `read` where days are read in another way."""
    folder = settings.output.shards
    shelf = Shelf(folder, settings.data_dir / QUARANTINE)
    known = (folder, catalog or Catalog(folder))
    path = settings.output.archive / ARCHIVE
    return Archive(path, shelf, read or partial(day_columns.read, *known), partial(day_columns.room, *known), damage)


def lock(settings: Settings) -> Callable[[], AbstractContextManager[None]]:
    """The lock of derived files: the service and a command by hand make them in turn."""
    return partial(exclusive, settings.data_dir / ROLLUP_LOCK)


def kinds(settings: Settings) -> dict[str, Path]:
    """The folder of each kind of file."""
    return {"daily": settings.output.daily, "weekly": settings.output.weekly}


def backfill(
    settings: Settings,
    book: GapBook,
    *,
    clock: Clock,
    interval_s: float,
    catalog: Catalog | None = None,
    fetch: Callable[[], bytes] | None = None,
) -> Backfill:
    """The backfill stage alone, as the service and the command by hand use it; without `fetch` it asks for no log."""
    folder = settings.output.shards
    known = (folder, catalog or Catalog(folder))
    imports = LogImport(
        lambda day: day_columns.read(*known, day)[0],
        partial(log_part.load, *known),
        zone=settings.zone,
        interval_s=interval_s,
    )
    return Backfill(
        settings.data_dir,
        book,
        imports,
        clock=clock,
        publish=partial(log_part.publish, *known),
        times=LogTimes(*known).read,
        lock=lock(settings),
        fetch=fetch,
        address=f"http://{settings.host}:{settings.backfill_port}{log_fetch.PATH}",
    )
