"""The settings: read once from three layers, checked whole, then frozen.

`settings.toml` (every key, the manual) lies under the file that LUX_SETTINGS_FILE names, that one under LUX_ variables.
dynaconf keeps the layers. What it would make of the values stays out: its loaders turn `07:00:00` into a time and `1e5`
into a float, run `@format` and `@jinja`, and follow .env, includes, *.local.toml, dynaconf_hooks.py and os.environ. So
they are skipped, and each value goes in as a `_Given`, which dynaconf does not look into.
"""

from __future__ import annotations

import difflib
import os
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import dynaconf.base
from dynaconf.vendor.ruamel import yaml

from pipeline import machine, rules
from pipeline.errors import SettingsError

#: The lowest layer: every key with its default.
DEFAULTS = Path(__file__).resolve().parent.parent / "settings.toml"
#: Every variable begins with this; the first part of a nested key ends with two underscores.
PREFIX = "LUX_"
#: The variable that names the middle layer; no setting itself.
FILE_VARIABLE = "LUX_SETTINGS_FILE"

#: Bytes of a settings file: many times what the manual takes. The parsers take a second for each 100 kB.
_MOST_BYTES = 100_000

#: Keys whose value is shown to nobody.
_SECRETS = frozenset({"HTTP_TOKEN"})

_TABLE = "OUTPUT_DIRS"
_OUTPUTS = ("OUTPUT_DIRS.SHARDS", "OUTPUT_DIRS.DAILY", "OUTPUT_DIRS.WEEKLY", "OUTPUT_DIRS.ARCHIVE")


@dataclass(frozen=True)
class OutputDirs:
    """The folders of what is made from readings, absolute."""

    shards: Path
    daily: Path
    weekly: Path
    archive: Path


@dataclass(frozen=True)
class Settings:
    """All settings in force, each with its key and rule. Paths are absolute; 0 days mean for ever, or never."""

    host: str | None = field(metadata={"HOST": rules.host_or_none})
    port: int = field(metadata={"PORT": rules.whole(1, 65535)})
    interval_s: int = field(metadata={"INTERVAL_SEC": rules.whole(5, 3600, "seconds")})
    timeout_s: float = field(metadata={"TIMEOUT_SEC": rules.number(1, 600, "seconds")})
    retries: int = field(metadata={"RETRIES": rules.whole(0, 10)})
    backfill: str = field(metadata={"BACKFILL": rules.choice("auto", "off")})
    backfill_port: int = field(metadata={"BACKFILL_PORT": rules.whole(1, 65535)})
    buffer_samples: int = field(metadata={"BUFFER_SAMPLES": rules.whole(1, 2880, "readings")})
    data_dir: Path = field(metadata={"DATA_DIR": rules.path})
    cache_path: Path = field(metadata={"CACHE_PATH": rules.path})
    output: OutputDirs = field(metadata=dict.fromkeys(_OUTPUTS, rules.path))
    csv_time: time = field(metadata={"CSV_TIME": rules.time_of_day})
    zone: ZoneInfo = field(metadata={"TIMEZONE": lambda value: machine.zone(rules.text(value))})
    csv_retention_days: int = field(metadata={"CSV_RETENTION_DAYS": rules.whole(0, 36500, "days")})
    shard_retention_days: int = field(metadata={"SHARD_RETENTION_DAYS": rules.whole(0, 36500, "days")})
    compress_after_days: int = field(metadata={"COMPRESS_AFTER_DAYS": rules.whole(0, 36500, "days")})
    export_sensors: tuple[str, ...] = field(metadata={"EXPORT_SENSORS": rules.names})
    export_from: str = field(metadata={"EXPORT_FROM": rules.moment})
    export_to: str = field(metadata={"EXPORT_TO": rules.moment})
    http_host: str = field(metadata={"HTTP_HOST": rules.host})
    http_port: int = field(metadata={"HTTP_PORT": rules.whole(0, 65535)})
    http_token: str = field(metadata={"HTTP_TOKEN": rules.token}, repr=False)
    metrics_sensors: bool = field(metadata={"METRICS_SENSORS": rules.yes_or_no})
    log_level: str = field(metadata={"LOG_LEVEL": rules.choice("debug", "info", "warning", "error")})
    log_format: str = field(metadata={"LOG_FORMAT": rules.choice("text", "json")})
    #: Where each key's value came from, for a person to read.
    origins: Mapping[str, str]
    #: What is allowed but hardly meant, a sentence each.
    warnings: tuple[str, ...]

    def rows(self) -> list[tuple[str, str, str]]:
        """Each key with its value as text and where it came from, in the order of the flow."""
        values = {
            key: getattr(self, part.name) for part in fields(self) for key in part.metadata if key not in _OUTPUTS
        }
        values |= {key: getattr(self.output, key.partition(".")[2].lower()) for key in _OUTPUTS}
        return [(key, _shown(key, values[key]), self.origins[key]) for key in RULES]


#: Every key with its rule, in the order of the flow.
RULES: Mapping[str, rules.Rule] = {key: rule for part in fields(Settings) for key, rule in part.metadata.items()}


def _shown(key: str, value: object) -> str:
    if key in _SECRETS:
        return "(set, not shown)" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ZoneInfo):
        return value.key
    return ", ".join(value) if isinstance(value, tuple) else str(value if value is not None else "")


@dataclass(frozen=True)
class _Given:
    """A value as a person wrote it, and where."""

    value: object
    origin: str


_Layer = dict[str, _Given]


def load(
    environ: Mapping[str, str] = os.environ,
    *,
    needs_host: bool = False,
    needs_folders: bool = False,
    root: Path = Path("/"),
) -> Settings:
    """The settings in force; `root` is where the machine's own files, such as /etc/timezone, begin. Creates nothing.

    Raises:
        SettingsError: with all problems that there are.
    """
    problems = rules.Problems()
    given = _merged(_layers(environ, problems))
    _fill_in_zone(given, environ, root)
    values = _checked(given, problems)
    if needs_host and "HOST" in values and values["HOST"] is None:
        problems.add("HOST", "must be set, for example LUX_HOST=192.168.1.20", "")
    places = _places(values, problems)
    for complaint in chain(machine.clashes(places), machine.unusable(places, root) if needs_folders else ()):
        problems.add(*complaint)
    if problems:
        raise SettingsError(problems)
    return _settings(values | places, {key: given[key].origin for key in RULES}, environ, root)


def _layers(environ: Mapping[str, str], problems: rules.Problems) -> list[_Layer]:
    """What the defaults, the file and the environment give, lowest first."""
    layers = [_file_layer("settings.toml", DEFAULTS, "settings.toml", problems)]
    if not layers[0]:
        raise SettingsError(problems)  # a broken installation: every key would be reported as missing
    if name := environ.get(FILE_VARIABLE):
        layers.append(_file_layer(FILE_VARIABLE, Path(name), f"file {name}", problems))
    layers.append(_known(_variables(environ), problems))
    return layers


def _file_layer(field: str, path: Path, origin: str, problems: rules.Problems) -> _Layer:
    try:
        return _known(_entries(_read(path), origin), problems)
    except ValueError as error:
        problems.add(field, str(error), str(path))
        return {}


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


def _entries(table: Mapping[object, object], origin: str) -> Iterator[tuple[str, _Given]]:
    for key, value in table.items():
        if str(key).upper() == _TABLE and isinstance(value, dict):
            yield from ((f"{key}.{inner}", _Given(item, origin)) for inner, item in value.items())
        else:
            yield str(key), _Given(value, origin)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, _Given]]:
    for name, value in environ.items():
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            yield name.removeprefix(PREFIX).replace("__", "."), _Given(value, f"environment {name}")


def _known(entries: Iterable[tuple[str, _Given]], problems: rules.Problems) -> _Layer:
    """The entries whose keys are settings; their case does not matter."""
    layer: _Layer = {}
    for written, given in entries:
        key = written.upper()
        if key in layer:
            problems.add(key, f"must stand once, not in two ways, in {given.origin}", given.value)
        elif key in RULES:
            layer[key] = given
        elif key == _TABLE:
            problems.add(key, "must be a table with SHARDS, DAILY, WEEKLY, ARCHIVE", given.value)
        else:
            problems.add(written, f"is no setting ({given.origin}), {_suggestion(key)}", given.value)
    return layer


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, RULES, n=1)
    return f"did you mean {near[0]}?" if near else "settings.toml has them all"


def _merged(layers: Iterable[_Layer]) -> _Layer:
    """Each key as the highest layer has it."""
    store = dynaconf.base.Settings(dynaconf_skip_loaders=True)
    for layer in layers:
        store.update(layer, dotted_lookup=False)
    found = {key: store.get(key, dotted_lookup=False) for key in RULES}
    return {key: given for key, given in found.items() if given is not None}


def _fill_in_zone(given: _Layer, environ: Mapping[str, str], root: Path) -> None:
    if "TIMEZONE" in given and given["TIMEZONE"].value == "":
        given["TIMEZONE"] = _Given(*machine.default_zone(environ, root))


def _checked(given: _Layer, problems: rules.Problems) -> dict[str, Any]:
    """The values that keep their rules."""
    values = {}
    for key, rule in RULES.items():
        if key not in given:
            problems.add(key, "must stand in settings.toml", None)
            continue
        try:
            values[key] = rule(given[key].value)
        except ValueError as error:
            problems.add(key, str(error), given[key].value)
    return values


def _places(values: Mapping[str, Any], problems: rules.Problems) -> dict[str, Path]:
    """The paths, absolute; none where DATA_DIR is wrong, as the others may begin in it."""
    if "DATA_DIR" not in values:
        return {}
    try:
        data_dir = Path(values["DATA_DIR"]).absolute()
    except OSError:
        problems.add("DATA_DIR", "must be absolute, as the working directory is gone", values["DATA_DIR"])
        return {}
    others = {key: data_dir / values[key] for key in ("CACHE_PATH", *_OUTPUTS) if key in values}
    return {"DATA_DIR": data_dir} | others


def _settings(
    values: Mapping[str, Any], origins: Mapping[str, str], environ: Mapping[str, str], root: Path
) -> Settings:
    plain = {part.name: values[key] for part in fields(Settings) for key in part.metadata if key not in _OUTPUTS}
    named, origin = values["TIMEZONE"].key, origins["TIMEZONE"]
    return Settings(
        **plain,
        output=OutputDirs(*(values[key] for key in _OUTPUTS)),
        origins=MappingProxyType(origins),
        warnings=machine.utc_warning(named, origin, environ, root) if origin.startswith("default") else (),
    )
