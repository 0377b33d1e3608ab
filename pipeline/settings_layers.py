"""The three layers of settings, lowest first: `settings.toml`, the file that LUX_SETTINGS_FILE names, LUX_ variables.

dynaconf keeps them. What it would make of the values stays out: its loaders turn `07:00:00` into a time and `1e5` into
a float, run `@format` and `@jinja`, and follow .env, includes, *.local.toml, dynaconf_hooks.py and os.environ. So they
are skipped, and each value goes in as a `Given`, which dynaconf does not look into.
"""

from __future__ import annotations

import difflib
import tomllib
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dynaconf.base
from dynaconf.vendor.ruamel import yaml

from pipeline import rules
from pipeline.errors import SettingsError

#: The lowest layer: every key with its default.
DEFAULTS = Path(__file__).resolve().parent.parent / "settings.toml"
#: Every variable begins with this; the first part of a nested key ends with two underscores.
PREFIX = "LUX_"
#: The variable that names the middle layer; no setting itself.
FILE_VARIABLE = "LUX_SETTINGS_FILE"

#: Bytes of a settings file: many times what the manual takes. The parsers take a second for each 100 kB.
_MOST_BYTES = 100_000

_TABLE = "OUTPUT_DIRS"


@dataclass(frozen=True)
class Given:
    """A value as a person wrote it, and where."""

    value: object
    origin: str


Layer = dict[str, Given]


def given(environ: Mapping[str, str], keys: Collection[str], problems: rules.Problems) -> Layer:
    """Each of the keys as the highest layer has it; what a layer has besides is a problem.

    Raises:
        SettingsError: `settings.toml` itself cannot be read.
    """
    layers = (_known(entries, keys, problems) for entries in _layers(environ, problems))
    if not (defaults := next(layers)):
        raise SettingsError(problems)  # a broken installation: every key would be reported as missing
    store = dynaconf.base.Settings(dynaconf_skip_loaders=True)
    for layer in (defaults, *layers):
        store.update(layer, dotted_lookup=False)
    found = {key: store.get(key, dotted_lookup=False) for key in keys}
    return {key: value for key, value in found.items() if value is not None}


def _layers(environ: Mapping[str, str], problems: rules.Problems) -> Iterator[Iterable[tuple[str, Given]]]:
    """What the defaults, the file and the environment give, lowest first."""
    yield _in_file("settings.toml", DEFAULTS, "settings.toml", problems)
    if name := environ.get(FILE_VARIABLE):
        yield _in_file(FILE_VARIABLE, Path(name), f"file {name}", problems)
    yield _variables(environ)


def _in_file(field: str, path: Path, origin: str, problems: rules.Problems) -> Iterable[tuple[str, Given]]:
    try:
        return _entries(_read(path), origin)
    except ValueError as error:
        problems.add(field, str(error), str(path))
        return ()


def _read(path: Path) -> dict[object, object]:
    """The table in a TOML or YAML file.

    Raises:
        ValueError: there is none, in words that follow the field's name.
    """
    if path.suffix.lower() not in {".toml", ".yaml", ".yml"}:
        raise ValueError("must be a file whose name ends in .toml, .yaml or .yml")
    try:
        if not path.is_file():
            raise ValueError("must be a file that exists")
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"must be a file of at most {_MOST_BYTES // 1000} kB")
        # With or without the byte order mark that Windows' editors write.
        table = _parsed(path.read_text(encoding="utf-8-sig"), path.suffix.lower())
    except OSError as error:
        raise ValueError(f"must be a file that can be read: {error.strerror}") from error
    except UnicodeError as error:
        raise ValueError("must be text in UTF-8") from error
    if table is not None and not isinstance(table, dict):
        raise ValueError("must be keys with values")
    return table or {}


def _parsed(text: str, suffix: str) -> object:
    """What stands in the file; scalars of YAML and floats of TOML stay text, as they were written."""
    try:
        if suffix == ".toml":
            return tomllib.loads(text, parse_float=str)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor used twice
            return yaml.load(text, Loader=yaml.BaseLoader)
    except Exception as error:  # on broken text the parsers also raise RecursionError, TypeError, a Warning and others
        raise ValueError(f"must be sound {suffix[1:].upper()}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())[:200]
    return f"{getattr(error, 'problem', '')} (in line {mark.line + 1})"


def _entries(table: Mapping[object, object], origin: str) -> Iterator[tuple[str, Given]]:
    for key, value in table.items():
        if str(key).upper() == _TABLE and isinstance(value, dict):
            yield from ((f"{key}.{inner}", Given(item, origin)) for inner, item in value.items())
        else:
            yield str(key), Given(value, origin)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, Given]]:
    for name, value in environ.items():
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            yield name.removeprefix(PREFIX).replace("__", "."), Given(value, f"environment {name}")


def _known(entries: Iterable[tuple[str, Given]], keys: Collection[str], problems: rules.Problems) -> Layer:
    """The entries whose keys are settings; their case does not matter."""
    layer: Layer = {}
    for written, entry in entries:
        key = written.upper()
        if key in layer:
            problems.add(key, f"must stand once, not in two ways, in {entry.origin}", entry.value)
        elif key in keys:
            layer[key] = entry
        elif key == _TABLE:
            problems.add(key, "must be a table with SHARDS, DAILY, WEEKLY, ARCHIVE", entry.value)
        else:
            problems.add(written, f"is no setting ({entry.origin}), {_suggestion(key, keys)}", entry.value)
    return layer


def _suggestion(key: str, keys: Collection[str]) -> str:
    near = difflib.get_close_matches(key, keys, n=1)
    return f"did you mean {near[0]}?" if near else "settings.toml has them all"
