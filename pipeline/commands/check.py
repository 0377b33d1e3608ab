"""`check`: whether the logger would find its pump."""

from __future__ import annotations

import argparse

from pipeline import check, exits
from pipeline.commands import chosen
from pipeline.stop import Stop


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(_: argparse.Namespace, __: Stop) -> int:
    """Print settings, pump and disk."""
    return exits.OK if check.run(chosen.settings(needs_host=True)) else exits.FAILED
