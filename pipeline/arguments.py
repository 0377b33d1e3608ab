"""Arguments of commands that keep the rules of settings."""

from __future__ import annotations

import argparse
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
