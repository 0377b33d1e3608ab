"""Commands that make files from shards by hand, safe beside a running service."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline import VERSION, derived, lock, places, progress
from pipeline.clock import SystemClock, from_ms, utc_text
from pipeline.errors import LoggerError
from pipeline.listing import many, size
from pipeline.settings import Settings
from pipeline.window import KINDS, Window
from stages.export import Export, Request
from stages.rollup import Rollup


def rollup(settings: Settings, *, kind: str | None, day: date | None, force: bool) -> None:
    """Make the daily and weekly files that are due, or those of one day; say what was made.

    Raises:
        LoggerError, OSError: a file could not be made; those before it stand.
    """
    if not settings.output.shards.is_dir():
        raise LoggerError(f"no shards in {settings.output.shards}", hint="is DATA_DIR the folder of your logger?")
    for warning in settings.warnings:
        logging.getLogger("rollup").warning(warning)
    stage = derived.rollup(settings, clock=SystemClock())
    logging.getLogger("rollup").setLevel(logging.WARNING)
    kinds = [kind] if kind else list(KINDS)
    with lock.exclusive(settings.data_dir / places.ROLLUP_LOCK):
        wanted = _wanted(stage, kinds, day, force)
        if not force:
            _refuse_other_settings(stage, wanted, settings)
        for one in wanted:
            _make(stage, one)
    if not wanted:
        print("everything is up to date; --date YYYY-MM-DD --force makes a file anew")


def export(settings: Settings, request: Request, target: Path | None, *, force: bool) -> None:
    """Export to a file and say what was made, or to standard output where there is none.

    Raises:
        LoggerError, OSError: nothing was published.
    """
    if not settings.output.shards.is_dir():
        raise LoggerError(f"no shards in {settings.output.shards}", hint="is DATA_DIR the folder of your logger?")
    if target is None and sys.stdout is None:
        raise LoggerError("standard output is closed", hint="name a file instead of -")
    about = {"version": VERSION, "timezone": settings.zone.key}
    stage = Export(derived.archive(settings), about)
    with progress.shown(target.name if target else "export", "day") as tell:
        if target is None:
            stage.to_stream(request, sys.stdout.buffer, tell)
            return
        made = stage.to_file(request, target, force=force, progress=tell)
    first, last = (f"{from_ms(at).astimezone(settings.zone):%Y-%m-%d %H:%M}" for at in (made.first_ms, made.last_ms))
    sensors, rows = many(made.sensors, "sensor"), many(made.rows, "reading")
    print(f"{target}: {size(target.stat().st_size)}, {sensors}, {rows}, {first} to {last}")


def _wanted(stage: Rollup, kinds: Sequence[str], day: date | None, force: bool) -> list[Window]:
    now = SystemClock().utc()
    if day is None:
        due = stage.windows(now) if force else stage.due(now)
        return [one for one in due if one.kind in kinds]
    windows = [stage.window(day, kind) for kind in kinds]
    if windows[0].end_ms > now.timestamp() * 1000:
        raise LoggerError(f"{windows[0]} has not ended yet", hint="the date is the day on which a window ends")
    stage.look()
    return [one for one in windows if force or not stage.is_current(one)]


def _refuse_other_settings(stage: Rollup, wanted: Sequence[Window], settings: Settings) -> None:
    """A shell seldom has the service's settings; with others the same file would hold other hours."""
    for one in wanted:
        record = stage.cut_otherwise(one)
        if record:
            now = f"CSV_TIME {settings.csv_time:%H:%M} {settings.zone.key} asks for {utc_text(one.end_ms)}"
            hint = "give this command the settings of the service, LUX_TIMEZONE above all, or --force"
            raise LoggerError(f"{one.name} ends at {utc_text(record.end_ms)}, but {now}", hint=hint)


def _make(stage: Rollup, one: Window) -> None:
    with progress.shown(one.name, "B") as tell:
        record = stage.build(one, tell)
    print(f"{one.name}: {size(record.length)} from {len(record.sources)} shards")
