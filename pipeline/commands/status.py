"""`status`: whether the logger does its work."""

from __future__ import annotations

import argparse
import json

from pipeline import exits, state, status
from pipeline.clock import SystemClock
from pipeline.commands import chosen
from pipeline.stop import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="for programs: status, reasons, last_reading and more")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Print how the logger fares."""
    found = status.collect(chosen.settings(), SystemClock().utc())
    print(json.dumps(found, ensure_ascii=False) if options.json else status.shown(found))
    return exits.OK if found["status"] == state.OK else exits.FAILED
