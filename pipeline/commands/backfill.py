"""`backfill`: what a log of the controller gives, said field by field, and put beside the shards."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipeline import derived, exits, gap_book, listing, log_fetch, places
from pipeline.clock import SystemClock, from_ms
from pipeline.commands import chosen
from pipeline.errors import AlreadyRunningError
from pipeline.gap import Gap, filled
from pipeline.gap_book import GapBook
from pipeline.lock import InstanceLock
from pipeline.log_fetch import LogServer
from pipeline.log_import import Finding
from pipeline.processlog import MOST_BYTES
from pipeline.quarantine import Quarantine
from pipeline.settings import Settings
from pipeline.stop import Stop
from stages.backfill import Backfill


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a log that was saved from /NewProc")
    source.add_argument("--fetch", action="store_true", help="ask the controller for its log now")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would give")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Take a log in and say what it gives.

    Raises:
        LoggerError: it is no sound log, or none came; nothing is changed.
        OSError: the disk does not serve.
    """
    settings = chosen.settings_with_shards(needs_host=options.fetch)
    content, source = _content(options, settings)
    path = settings.data_dir / gap_book.NAME
    gaps = list(gap_book.read(path))
    book = GapBook(path, Quarantine(settings.data_dir / places.QUARANTINE).keep)
    stage = derived.backfill(settings, book, clock=SystemClock(), interval_s=settings.interval_s)
    if options.dry_run:
        print(f"{_shown(stage.look(content, gaps), source, gaps)}\n\nnothing was changed")
        return exits.OK
    found, changed = stage.take(content, gaps, source)
    _keep_book(stage, settings)
    print(_shown(found, source, gaps))
    print(f"\n{listing.many(changed, 'day')} changed" if changed else "\nall of it was there already")
    return exits.OK


def _keep_book(stage: Backfill, settings: Settings) -> None:
    """A running service sees what is new beside the shards, and keeps the book itself."""
    alone = InstanceLock([settings.data_dir])
    with suppress(AlreadyRunningError):
        alone.acquire()
        try:
            stage.keep_book()
        finally:
            alone.release()


def _content(options: argparse.Namespace, settings: Settings) -> tuple[bytes, str]:
    """The log's bytes, and from where they came."""
    if options.fetch:
        server = LogServer(settings.host or "", settings.backfill_port)
        return server.fetch(), f"http://{server.address}{log_fetch.PATH}"
    with options.file.open("rb") as file:
        return file.read(MOST_BYTES + 1), str(options.file)


def _shown(found: Finding, source: str, gaps: Sequence[Gap]) -> str:
    rows = [
        ("log", source),
        ("records", f"{found.records}, {_time(found.from_ms)} to {_time(found.to_ms)} UTC"),
        ("clock", _clock(found.behind_s)),
        *_fields("trusted", found, trusted=True),
        *_fields("left out", found, trusted=False),
        ("missing", f"{listing.many(len(found.times_ms), 'minute')} found for {listing.many(len(gaps), 'gap')}"),
        *(("", _gap(one, found)) for one in gaps if one.from_ms < found.to_ms and found.from_ms < one.to_ms),
    ]
    return listing.columns(rows)


def _time(time_ms: int) -> str:
    return f"{from_ms(time_ms):%Y-%m-%d %H:%M}"


def _clock(behind_s: int | None) -> str:
    if behind_s is None:
        return "no reading tells how far the controller's is off; taken as right"
    direction = "behind" if behind_s >= 0 else "ahead of"
    return f"the controller's is {abs(behind_s)} s {direction} this machine's"


def _fields(title: str, found: Finding, *, trusted: bool) -> list[tuple[str, str]]:
    some = [one for one in found.fields if one.is_trusted is trusted]
    lines = [("", f"{one.field.name} = {one.sensor.name}: {one.why}") for one in some]
    return [(title, listing.many(len(some), "field")), *lines]


def _gap(one: Gap, found: Finding) -> str:
    given = filled(one, found.times_ms)
    return f"{_time(one.from_ms)} to {_time(one.to_ms)} UTC, {one.reason}: {given} of {one.missing} polls filled"
