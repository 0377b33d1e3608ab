"""`export`: chosen sensors and times as a file for other programs."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import VERSION, derived, exits, labels, period, progress, rules
from pipeline.clock import SystemClock, from_ms
from pipeline.commands import chosen
from pipeline.errors import LoggerError
from pipeline.listing import many, size
from pipeline.settings import Settings
from pipeline.stop import Stop
from stages.export import FORMS, Export, Made, Request

#: What stands for standard output.
STDOUT = "-"

_EVERY = re.compile(r"([1-9][0-9]{0,5})(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_DAY_S = 86_400
_EPILOG = """examples:
  export --from 2026-10-01 --to 2026-11-01 --group temperatures --labels de --locale de --output october.csv
  export --sensors 'ID_WEB_Temperatur_*' --from -30d --every 15min --output month.json
  export --sensors calculation_235 --format csv --output - | head

A day counts from its start, so --to 2026-11-01 leaves out the first of November.
groups: """


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG + ", ".join(labels.GROUPS)
    add = parser.add_argument
    add(
        "--from",
        dest="start",
        type=_moment,
        metavar="TIME",
        help="2026-10-01, an ISO time, or -30d; default EXPORT_FROM",
    )
    add("--to", dest="end", type=_moment, metavar="TIME", help="the first moment that is not wanted; default EXPORT_TO")
    add("--sensors", action="append", default=[], metavar="PATTERN", help="name or shell pattern; again for more")
    add("--group", action="append", default=[], metavar="NAME", help="the sensors of a group, see below")
    add("--exclude", action="append", default=[], metavar="PATTERN", help="leave these out")
    add("--every", type=_every, metavar="STEP", help="one row for 15min, 1h, 1d ...: means, last or longest values")
    add("--format", choices=FORMS, help="default: by the end of the file's name; csv where it has none")
    add("--locale", choices=("de",), help="CSV as a German spreadsheet opens it")
    add("--labels", choices=labels.LANGUAGES, help="what people call the sensors, with units, instead of their names")
    add("--output", required=True, metavar="FILE", help="the file to make, - for standard output")
    add("--force", action="store_true", help="overwrite a file that is there")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Export what the arguments and settings ask for, and say what was made where it is a file.

    Raises:
        LoggerError, OSError: nothing was published.
    """
    settings = chosen.settings_with_shards()
    target = _target(options.output)
    request = _request(options, settings, target)
    about = {"version": VERSION, "timezone": settings.zone.key}
    stage = Export(derived.archive(settings), about)
    with progress.shown(target.name if target else "export", "day") as tell:
        if target is None:
            stage.to_stream(request, sys.stdout.buffer, tell)
            return exits.OK
        made = stage.to_file(request, target, force=options.force, progress=tell)
    print(_shown(made, target, settings.zone))
    return exits.OK


def _target(output: str) -> Path | None:
    """The file to make; none stands for standard output."""
    if output == STDOUT:
        if sys.stdout is None:
            raise LoggerError("standard output is closed", hint="name a file instead of -")
        return None
    target = Path(output)
    if target.is_dir() or not target.parent.is_dir():
        raise LoggerError(f"{target} cannot be a file", hint="name a file in a folder that is there")
    if not os.access(target.parent, os.W_OK):
        raise LoggerError(
            f"{target} cannot be written, its folder is read-only", hint="name another one, or - for standard output"
        )
    return target


def _shown(made: Made, target: Path, zone: ZoneInfo) -> str:
    first, last = (f"{from_ms(at).astimezone(zone):%Y-%m-%d %H:%M}" for at in (made.first_ms, made.last_ms))
    sensors, rows = many(made.sensors, "sensor"), many(made.rows, "reading")
    return f"{target}: {size(target.stat().st_size)}, {sensors}, {rows}, {first} to {last}"


def _request(options: argparse.Namespace, settings: Settings, target: Path | None) -> Request:
    now = SystemClock().utc()
    moment = partial(period.moment, zone=settings.zone, now=now)
    start, end = (options.start or settings.export_from, options.end or settings.export_to)
    form = options.format or _form(target)
    if options.locale and form != "csv":
        raise LoggerError(f"--locale {options.locale} is for csv, not for {form}", hint="leave it out")
    patterns = options.sensors or ([] if options.group else settings.export_sensors)
    return Request(
        moment(start) if start else datetime(MINYEAR + 999, 1, 1, tzinfo=UTC),
        moment(end) if end else datetime(MAXYEAR - 1, 1, 1, tzinfo=UTC),
        patterns=tuple(patterns),
        groups=tuple(options.group),
        without=tuple(options.exclude),
        step_ms=options.every,
        form=form,
        german=options.locale == "de",
        language=options.labels,
    )


def _form(target: Path | None) -> str:
    suffix = target.suffix.lower().removeprefix(".") if target else ""
    if suffix and suffix not in FORMS:
        known = ", ".join(f".{form}" for form in FORMS)
        raise LoggerError(f"{target} ends in none of {known}", hint="end it so, or name a --format")
    return suffix or FORMS[0]


def _moment(text: str) -> str:
    with suppress(ValueError):
        if found := rules.moment(text):
            return str(found)
    raise argparse.ArgumentTypeError(
        f"must be a day (2026-10-01), a time (2026-10-01T12:00+02:00) or days ago (-30d) (got {text!r})"
    )


def _every(text: str) -> int:
    """A step in ms, of which a day has a whole number."""
    if match := _EVERY.fullmatch(text):
        seconds = int(match[1]) * _SECONDS[match[2]]
        if _DAY_S % seconds == 0:
            return seconds * 1000
    raise argparse.ArgumentTypeError(f"must be a part of a day such as 30s, 15min, 1h or 1d (got {text!r})")
