"""`demo`: its arguments."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from functools import partial

from pipeline import arguments, demo, exits, rules
from pipeline.stop import Stop

_days = partial(arguments.kept, rules.whole(0, demo.MOST_DAYS))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--days", type=_days, default=2, metavar="N", help="days of history (default: %(default)s)")
    add(
        "--outage",
        type=arguments.hours(demo.MOST_OUTAGE),
        default=timedelta(),
        metavar="6h",
        help="a time in that history in which the logger was off; it is filled from the pump's own log",
    )
    add("--fresh", action="store_true", help="begin anew instead of going on where the last demo ended")


def run(options: argparse.Namespace, stop: Stop) -> int:
    """Run the demo until a stop is asked for."""
    past = demo.History(options.days, options.outage)
    return exits.of_service(demo.run(stop, past=past, fresh=options.fresh, environ=os.environ), stop)
