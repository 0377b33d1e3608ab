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
from pipeline.commands import COMMANDS
from tests.odd_settings import CONTENTS, VALUES, VARIABLES

#: Stands for the folder of a call, which is not known when its values are drawn.
HERE = "{HERE}"

_NUMBERS = ("0", "1", "-1", "366", "65536", "٣", "1e3", "9" * 5000)
_PATHS = (HERE, f"{HERE}/data", f"{HERE}/odd.yaml", f"{HERE}/new/x", f"{HERE}/journal", "n" * 300, "\udcff", "")
#: Values that are right for an option, or nearly, by the option's name; all of them for one that is not here.
_FITTING = {
    "date": ("0001-01-01", "9999-12-31", "2026-01-06", "2026-W01-1", "20260106", "2026-02-30"),
    "days": _NUMBERS,
    "dump": _PATHS,
    "host": ("127.0.0.1", "localhost", "::1", "a..b", "\udcff", "", "300.1.1.1", "x" * 64),
    "journal": _PATHS,
    "pattern": ("*", "[", "[!", "[z-a]", "Temperatur", "\udcff", ""),
    "port": _NUMBERS,
    "seed": _NUMBERS,
}
_LIKELY = st.sampled_from(sorted({value for values in _FITTING.values() for value in values}))
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
    (found,) = (action for action in cli.parser(COMMANDS)._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def _passable(text: str) -> str:
    """The text as a shell can pass it on: bytes without NUL."""
    return os.fsdecode(text.encode(errors="surrogatepass").replace(b"\0", b""))


def _inside(text: str) -> str:
    """The text without what could lead out of the call's folder: a command may create what an argument names."""
    return re.sub(r"^\W*/|\.\.|=/", "_", text)


_ODD = VALUES.map(_passable)
_ARGUMENTS = _ODD.map(_inside) | _LIKELY


def _pieces(action: argparse.Action) -> st.SearchStrategy[list[str]]:
    """One option with or without a value, or a value alone."""
    fitting = [str(choice) for choice in action.choices or ()] or _FITTING.get(action.dest)
    values = (st.sampled_from(fitting) if fitting else _LIKELY) | _ARGUMENTS
    if not action.option_strings:
        return values.map(lambda value: [value])
    flags = st.sampled_from(action.option_strings)
    alone = flags.map(lambda flag: [flag])
    if action.nargs == 0:
        return alone
    both = st.tuples(flags, values).map(list)
    return both | both | st.tuples(flags, values).map("=".join).map(lambda word: [word]) | alone


def _of_command(name: str) -> st.SearchStrategy[tuple[str, ...]]:
    actions = commands()[name]._actions
    options = st.lists(st.sampled_from(actions).flatmap(_pieces), max_size=2)
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
_ALL = sorted(commands())
#: Each command as often as it has options.
_BY_OPTIONS = [name for name in _ALL for _ in commands()[name]._actions]
_FILES = st.tuples(st.sampled_from(_NAMES), CONTENTS)
_ODD_SETTINGS = st.builds(
    Call,
    arguments=st.sampled_from(_ALL).map(lambda name: (name,)),
    variables=_VARIABLES | _FINE | _FINE | st.just({"LUX_SETTINGS_FILE": FILE}),
    file=_FILES,
    filled=st.booleans(),
)
_ODD_ARGUMENTS = st.builds(
    Call,
    arguments=st.sampled_from(_BY_OPTIONS).flatmap(_of_command),
    variables=st.just({}) | _FINE,
    file=_FILES,
    filled=st.just(True),
)
_NO_COMMANDS = st.builds(
    Call, arguments=st.lists(_ARGUMENTS, max_size=2).map(tuple), variables=_FINE, file=_FILES, filled=st.booleans()
)
CALLS = _ODD_SETTINGS | _ODD_ARGUMENTS | _ODD_ARGUMENTS | _NO_COMMANDS
