"""`sensors`: what the pump tells, by name."""

from __future__ import annotations

import argparse

from pipeline import check, exits, listing
from pipeline.commands import chosen
from pipeline.stop import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help="shell pattern or part of a name")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Print the table of sensors."""
    print(listing.sensors(options.pattern, check.last_reading(chosen.settings())))
    return exits.OK
