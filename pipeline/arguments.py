"""Arguments of commands that keep the rules of settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from pipeline import rules

_MOST_PORT = 65_535


def kept(rule: rules.Rule, text: str) -> Any:
    """What a rule of the settings makes of an argument."""
    try:
        return rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error} (got {text!r})") from None


host = partial(kept, rules.host)
port = partial(kept, rules.whole(0, _MOST_PORT))


def hours(most: timedelta) -> Callable[[str], timedelta]:
    """A rule for whole hours, written as `6h`."""
    whole = rules.whole(0, most // timedelta(hours=1))

    def rule(text: str) -> timedelta:
        try:
            return timedelta(hours=whole(text.removesuffix("h")))
        except ValueError:
            most_h = most // timedelta(hours=1)
            raise argparse.ArgumentTypeError(f"must be hours from 0h to {most_h}h (got {text!r})") from None

    return rule
