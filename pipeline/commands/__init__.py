"""The commands, a module for each: `add_arguments` says what it takes, `run` does it and gives the exit code.

Only the module of the command that was called is loaded: asking for the queue's depth should not wait for the service.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol, cast

from pipeline.errors import InstallationError
from pipeline.stop import Stop

#: Each command, and what it is for.
COMMANDS = {
    "run": "log the pump until stopped (needs LUX_HOST)",
    "demo": "a simulated pump and the whole service, in data-demo/",
    "rollup": "make the daily and weekly files that are due; safe beside a service",
    "export": "chosen sensors and dates as CSV, JSON or Stata file",
    "backfill": "fill gaps from the controller's own log; safe beside a service",
    "queue": "readings that wait to be written; safe at any time, changes nothing",
    "status": "whether the logger does its work, what is missing and why",
    "check": "settings in force, one read of the pump, space on the disk",
    "sensors": "sensors with index, unit, data type and last value",
    "processlog": "a file of the controller's own log of 48 hours, as CSV",
    "simulate": "a pump on this machine that speaks the controller's protocol",
}


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Tell the parser what the command takes."""

    def run(self, options: argparse.Namespace, stop: Stop) -> int:
        """Do it; gives the exit code."""


def load(name: str) -> Command:
    """The module of a command.

    Raises:
        InstallationError: a library that it needs is missing.
    """
    try:
        return cast(Command, importlib.import_module(f"pipeline.commands.{name}"))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pipeline", "stages"}:
            raise
        raise InstallationError(str(error), hint="run `make setup` once, then use .venv/bin/python") from error
