"""Arguments of commands that keep the rules of settings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from pipeline import rules

_MOST_PORT = 65_535
_TIMES = ("--from", "--to")
_DAYS_AGO = re.compile(r"-[0-9]+d")


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


def glued(given: Sequence[str]) -> list[str]:
    """The arguments with days before now as the parser takes them: to it `-30d` alone looks like an option."""
    found: list[str] = []
    for argument in given:
        if found and found[-1] in _TIMES and _DAYS_AGO.fullmatch(argument):
            found[-1] = f"{found[-1]}={argument}"
        else:
            found.append(argument)
    return found
