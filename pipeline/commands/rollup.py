"""`rollup`: daily and weekly files made by hand, safe beside a running service."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, date

from pipeline import derived, exits, lock, places, progress
from pipeline.clock import SystemClock, utc_text
from pipeline.commands import chosen
from pipeline.errors import LoggerError
from pipeline.listing import size
from pipeline.settings import Settings
from pipeline.stop import Stop
from pipeline.window import KINDS, Window
from stages.rollup import Rollup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--kind", choices=KINDS, help="only this kind")
    add("--date", type=_day, metavar="YYYY-MM-DD", help="only the files whose window ends on this day")
    add("--force", action="store_true", help="make them anew, also where they are up to date")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Make the daily and weekly files that are due, or those of one day; say what was made.

    Raises:
        LoggerError, OSError: a file could not be made; those before it stand.
    """
    settings = chosen.settings_with_shards()
    for warning in settings.warnings:
        logging.getLogger("rollup").warning(warning)
    stage = derived.rollup(settings, clock=SystemClock())
    logging.getLogger("rollup").setLevel(logging.WARNING)
    kinds = [options.kind] if options.kind else list(KINDS)
    with lock.exclusive(settings.data_dir / places.ROLLUP_LOCK):
        wanted = _wanted(stage, kinds, options.date, options.force)
        if not options.force:
            _refuse_other_settings(stage, wanted, settings)
        for one in wanted:
            _make(stage, one)
    if not wanted:
        print("everything is up to date; --date YYYY-MM-DD --force makes a file anew")
    return exits.OK


def _day(text: str) -> date:
    # The first and the last year have days whose windows reach beyond what a date can be.
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if MINYEAR < day.year < MAXYEAR:
            return day
    raise argparse.ArgumentTypeError(f"must be a day such as 2026-11-23 (got {text!r})")


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
