"""`queue`: the readings that wait to be written."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pipeline import exits, listing, places, queue_view
from pipeline.commands import chosen
from pipeline.stop import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="for programs: depth, oldest, newest, bytes, quarantined")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Print the queue's state."""
    settings = chosen.settings()
    view = queue_view.look(settings.cache_path, settings.data_dir / places.QUARANTINE)
    print(json.dumps(asdict(view)) if options.json else listing.queue(view, settings.cache_path))
    return exits.OK
