"""`run`: the service until it is stopped."""

from __future__ import annotations

import argparse

from pipeline import exits, log, service, settings
from pipeline.stop import Stop


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It takes none: the service is told by settings."""


def run(_: argparse.Namespace, stop: Stop) -> int:
    """Log the pump until a stop is asked for."""
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    return exits.of_service(service.build(chosen).run(stop), stop)
