"""The commands: what a person types, and what ends one, as an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from pipeline import VERSION, arguments, exits, log, machine
from pipeline.commands import COMMANDS, load
from pipeline.errors import AlreadyRunningError, InstallationError, LoggerError, NewerFormatError, SettingsError
from pipeline.stop import Stop


def main(given: Sequence[str], stop: Stop) -> int:
    """Run one command; gives the exit code."""
    log.set_up("warning", "text")
    try:
        options = parser(given).parse_args(arguments.glued(given))
        return load(options.name).run(options, stop)
    except (SettingsError, InstallationError, NewerFormatError) as error:
        return _fail(str(error), exits.USAGE)
    except AlreadyRunningError as error:
        return _fail(f"already running: {error}", exits.RUNNING)
    except LoggerError as error:
        return _fail(str(error), exits.FAILED)
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does; what is left to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except OSError as error:
        return _fail(_refused(error, " ".join(given[:1])), exits.FAILED)
    except KeyboardInterrupt:
        return exits.INTERRUPTED


def parser(words: Collection[str]) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of those that are among the words typed.

    Raises:
        InstallationError: a library that such a command needs is missing.
    """
    every = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Logs what a heat pump with a Luxtronik 2.x controller tells, without losing a reading.",
        epilog="Settings come from settings.toml, the file named in LUX_SETTINGS_FILE, and LUX_ variables.",
    )
    every.add_argument("--version", action="version", version=f"Luxtronik Logger {VERSION}")
    commands = every.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="name")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name in words:
            load(name).add_arguments(command)
    return every


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
