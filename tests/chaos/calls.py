"""Calls of every command with odd arguments, variables and settings files, as Hypothesis draws them.

Commands and their options come from the command line's own parser, so that a later one is attacked too.
"""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass

from hypothesis import strategies as st

from pipeline import cli
from tests.odd_settings import CONTENTS, VALUES, VARIABLES

#: Stands for the folder of a call, which is not known when its values are drawn.
HERE = "{HERE}"

#: Values that are right for something, or nearly.
_LIKELY = st.sampled_from(
    ["0", "1", "-1", "65536", "9" * 5000, "2026-01-06", "0001-01-01", "9999-12-31", "2026-W01-1", "daily", "*", "[", "",
     "127.0.0.1", "localhost", "::1", "\udcff", "silent", HERE, f"{HERE}/data", f"{HERE}/odd.yaml", f"{HERE}/new/x"]
)  # fmt: skip
#: Stands for the settings file of a call, whatever its name.
FILE = "{FILE}"
#: Names of settings files, and with them their kinds: see `usage`.
_NAMES = ("odd.yaml", "odd.toml", "odd.YML", "odd.json", "missing.yaml", "data", "loop.yaml", "pipe.toml")


@dataclass(frozen=True)
class Call:
    """One call of a command: arguments, variables, the settings file, and whether readings are there already."""

    arguments: tuple[str, ...]
    variables: dict[str, str]
    file: tuple[str, bytes]
    filled: bool


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command with its parser."""
    (found,) = (action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def _passable(text: str) -> str:
    """The text as a shell can pass it on: bytes without NUL."""
    return os.fsdecode(text.encode(errors="surrogatepass").replace(b"\0", b""))


def _inside(text: str) -> str:
    """The text without what could lead out of the call's folder: a command may create what an argument names."""
    return re.sub(r"^\W*/|\.\.|=/", "_", text)


_ODD = VALUES.map(_passable)
_ARGUMENTS = _ODD.map(_inside) | _LIKELY


def _pieces(parser: argparse.ArgumentParser) -> st.SearchStrategy[list[str]]:
    """One option with or without a value, or a value alone."""
    flags = [flag for action in parser._actions for flag in action.option_strings]
    choices = [str(choice) for action in parser._actions for choice in action.choices or ()]
    values = _ARGUMENTS | st.sampled_from(choices) if choices else _ARGUMENTS
    return (
        st.tuples(st.sampled_from(flags), values).map(list)
        | st.tuples(st.sampled_from(flags), values).map("=".join).map(lambda both: [both])
        | st.sampled_from(flags).map(lambda flag: [flag])
        | values.map(lambda value: [value])
    )


def _of_command(name: str) -> st.SearchStrategy[tuple[str, ...]]:
    options = st.lists(_pieces(commands()[name]), max_size=2)
    return options.map(lambda pieces: (name, *(word for piece in pieces for word in piece)))


#: Right values, the odd ones among them, so that many calls get beyond the settings.
_RIGHT = {
    "BUFFER_SAMPLES": ("2880",),
    "CACHE_PATH": ("q.db", f"{HERE}/new/er/q.db", "a b/ü;#?.db"),
    "COMPRESS_AFTER_DAYS": ("0", "1", "36500"),
    "CSV_RETENTION_DAYS": ("0", "1", "36500"),
    "CSV_TIME": ("00:00", "02:30", "23:59:59"),
    "DATA_DIR": ("data", f"{HERE}/new/data", f"{HERE}/d%20 ?#&ä", f"{HERE}/x" * 60, "/dev/null", "/proc/data"),
    "EXPORT_SENSORS": ('["a"]', "a,b"),
    "HOST": ("localhost", "::1", "0.0.0.5", "1e5", "pump", "w" * 63, "wärme.pumpe", "fe80::1%eth0"),
    "INTERVAL_SEC": ("5", "3600"),
    "LOG_FORMAT": ("json", "TEXT"),
    "LOG_LEVEL": ("debug", "ERROR"),
    "OUTPUT_DIRS__DAILY": ("d", "shards/daily", ".", "queue", f"{HERE}/odd.yaml"),
    "OUTPUT_DIRS__SHARDS": ("s", "data", ".", f"{HERE}/data/daily/shards"),
    "PORT": ("1", "65535"),
    "RETRIES": ("0", "10"),
    "SHARD_RETENTION_DAYS": ("0", "1", "36500"),
    "TIMEZONE": ("", "UTC", "Pacific/Apia", "Africa/Monrovia", "America/St_Johns", "Asia/Kathmandu"),
}
_PAIRS = [(f"LUX_{key}", value) for key, values in _RIGHT.items() for value in values]
_FINE = st.lists(st.sampled_from(_PAIRS), max_size=3).map(dict)
_VARIABLES = st.dictionaries(
    VARIABLES.map(_passable).filter(lambda name: "=" not in name), _ODD.map(_inside) | _LIKELY, max_size=3
)
_COMMANDS = st.sampled_from(sorted(commands())).flatmap(_of_command)
CALLS = st.builds(
    Call,
    arguments=_COMMANDS | _COMMANDS | _COMMANDS | st.lists(_ARGUMENTS, max_size=2).map(tuple),
    variables=_VARIABLES | _FINE | _FINE | st.just({"LUX_SETTINGS_FILE": FILE}) | st.just({}),
    file=st.tuples(st.sampled_from(_NAMES), CONTENTS),
    filled=st.booleans(),
)
