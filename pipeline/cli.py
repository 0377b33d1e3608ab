"""The commands: what a person types, what is printed, and the exit codes."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import MAXYEAR, MINYEAR, date, timedelta
from functools import partial
from pathlib import Path

from pipeline import (
    VERSION,
    arguments,
    backfill_command,
    by_hand,
    check,
    data_format,
    demo,
    export_command,
    listing,
    log,
    machine,
    places,
    processlog_command,
    queue_view,
    rules,
    service,
    settings,
    simulate_command,
    state,
    status,
)
from pipeline.clock import SystemClock
from pipeline.errors import AlreadyRunningError, LoggerError, NewerFormatError, SettingsError
from pipeline.settings import Settings
from pipeline.stop import Stop
from pipeline.window import KINDS

#: Done.
EXIT_OK = 0
#: Failed, or unhealthy.
EXIT_FAILED = 1
#: Wrong settings or usage, or a folder of a newer version; nothing was started or created.
EXIT_USAGE = 2
#: Another service holds the folders.
EXIT_RUNNING = 3
#: Stopped with readings that could not be saved.
EXIT_UNSAVED = service.UNSAVED
#: Ended by Ctrl-C.
EXIT_INTERRUPTED = 130


def main(given: Sequence[str], stop: Stop) -> int:
    """Run one command; gives the exit code."""
    options = _parser().parse_args(export_command.glued(given))
    command: Callable[[argparse.Namespace, Stop], int] = options.command
    log.set_up("warning", "text")
    try:
        return command(options, stop)
    except (SettingsError, NewerFormatError) as error:
        return _fail(str(error), EXIT_USAGE)
    except AlreadyRunningError as error:
        return _fail(f"already running: {error}", EXIT_RUNNING)
    except LoggerError as error:
        return _fail(str(error), EXIT_FAILED)
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does; what is left to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        return _fail(_refused(error, options.name), EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _refused(error: OSError, command: str) -> str:
    """What the system refused; where a file of another owner is the reason, what mends it."""
    said = f"{error.strerror or error}: {error.filename}" if error.filename else f"{command}: {error.strerror or error}"
    place = Path(os.fsdecode(error.filename or ""))
    if isinstance(error, PermissionError) and os.access(place, os.F_OK):
        return f"{said} ({machine.why_locked(place)})"
    return said


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _run(_: argparse.Namespace, stop: Stop) -> int:
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    return _ended(service.build(chosen).run(stop), stop)


def _demo(options: argparse.Namespace, stop: Stop) -> int:
    past = demo.History(options.days, options.outage)
    return _ended(demo.run(stop, past=past, fresh=options.fresh, environ=os.environ), stop)


def _ended(unsaved: int, stop: Stop) -> int:
    if unsaved:
        return EXIT_UNSAVED
    return EXIT_INTERRUPTED if stop.signal == signal.SIGINT else EXIT_OK


def _chosen(*, needs_host: bool = False) -> Settings:
    """The settings of a command, where it knows what lies in their DATA_DIR: of another one it would tell nonsense."""
    chosen = settings.load(needs_host=needs_host)
    data_format.check(chosen.data_dir)
    return chosen


def _rollup(options: argparse.Namespace, _: Stop) -> int:
    chosen = _chosen()
    by_hand.rollup(chosen, kind=options.kind, day=options.date, force=options.force)
    return EXIT_OK


def _export(options: argparse.Namespace, _: Stop) -> int:
    export_command.run(options, _chosen())
    return EXIT_OK


def _backfill(options: argparse.Namespace, _: Stop) -> int:
    backfill_command.run(options, _chosen(needs_host=options.fetch))
    return EXIT_OK


def _queue(options: argparse.Namespace, _: Stop) -> int:
    chosen = _chosen()
    view = queue_view.look(chosen.cache_path, chosen.data_dir / places.QUARANTINE)
    print(json.dumps(asdict(view)) if options.json else listing.queue(view, chosen.cache_path))
    return EXIT_OK


def _status(options: argparse.Namespace, _: Stop) -> int:
    found = status.collect(_chosen(), SystemClock().utc())
    print(json.dumps(found, ensure_ascii=False) if options.json else status.shown(found))
    return EXIT_OK if found["status"] == state.OK else EXIT_FAILED


def _check(_: argparse.Namespace, __: Stop) -> int:
    chosen = _chosen(needs_host=True)
    return EXIT_OK if check.run(chosen) else EXIT_FAILED


def _sensors(options: argparse.Namespace, _: Stop) -> int:
    chosen = _chosen()
    print(listing.sensors(options.pattern, check.last_reading(chosen)))
    return EXIT_OK


def _processlog(options: argparse.Namespace, _: Stop) -> int:
    processlog_command.write(options.file, SystemClock().utc(), sys.stdout)
    return EXIT_OK


def _simulate(options: argparse.Namespace, stop: Stop) -> int:
    simulate_command.run(options, stop)
    return EXIT_INTERRUPTED if stop.signal == signal.SIGINT else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Logs what a heat pump with a Luxtronik 2.x controller tells, without losing a reading.",
        epilog="Settings come from settings.toml, the file named in LUX_SETTINGS_FILE, and LUX_ variables.",
    )
    parser.add_argument("--version", action="version", version=f"Luxtronik Logger {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="name")

    _command(commands, "run", _run, "log the pump until stopped (needs LUX_HOST)")

    start = _command(commands, "demo", _demo, "a simulated pump and the whole service, in data-demo/")
    start.add_argument("--days", type=_days, default=2, metavar="N", help="days of history (default: %(default)s)")
    start.add_argument(
        "--outage",
        type=arguments.hours(demo.MOST_OUTAGE),
        default=timedelta(),
        metavar="6h",
        help="a time in that history in which the logger was off; it is filled from the pump's own log",
    )
    start.add_argument("--fresh", action="store_true", help="begin anew instead of going on where the last demo ended")

    _add_rollup(commands)

    hand_out = _command(commands, "export", _export, "chosen sensors and dates as CSV, JSON or Stata file")
    export_command.add_arguments(hand_out)

    fill = _command(commands, "backfill", _backfill, "fill gaps from the controller's own log; safe beside a service")
    backfill_command.add_arguments(fill)

    look = _command(commands, "queue", _queue, "readings that wait to be written; safe at any time, changes nothing")
    look.add_argument("--json", action="store_true", help="for programs: depth, oldest, newest, bytes, quarantined")

    judge = _command(commands, "status", _status, "whether the logger does its work, what is missing and why")
    judge.add_argument("--json", action="store_true", help="for programs: status, reasons, last_reading and more")

    _command(commands, "check", _check, "settings in force, one read of the pump, space on the disk")

    find = _command(commands, "sensors", _sensors, "sensors with index, unit, data type and last value")
    find.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help="shell pattern or part of a name")

    own = _command(commands, "processlog", _processlog, "a file of the controller's own log of 48 hours, as CSV")
    own.add_argument("file", type=Path, metavar="FILE", help="what the controller serves at /NewProc")

    simulate = _command(commands, "simulate", _simulate, "a pump on this machine that speaks the controller's protocol")
    simulate_command.add_arguments(simulate)
    return parser


def _add_rollup(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    make = _command(commands, "rollup", _rollup, "make the daily and weekly files that are due; safe beside a service")
    make.add_argument("--kind", choices=KINDS, help="only this kind")
    make.add_argument("--date", type=_day, metavar="YYYY-MM-DD", help="only the files whose window ends on this day")
    make.add_argument("--force", action="store_true", help="make them anew, also where they are up to date")


def _day(text: str) -> date:
    # The first and the last year have days whose windows reach beyond what a date can be.
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if MINYEAR < day.year < MAXYEAR:
            return day
    raise argparse.ArgumentTypeError(f"must be a day such as 2026-11-23 (got {text!r})")


_days = partial(arguments.kept, rules.whole(0, demo.MOST_DAYS))


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Stop], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=run)
    return parser
