"""The settings: read once from their layers, checked whole, then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import machine, rules
from pipeline.errors import SettingsError
from pipeline.settings_layers import Given, Layer, given

#: Keys whose value is shown to nobody.
_SECRETS = frozenset({"HTTP_TOKEN"})

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
    layer = given(environ, RULES, problems)
    _fill_in_zone(layer, environ, root)
    values = _checked(layer, problems)
    if needs_host and "HOST" in values and values["HOST"] is None:
        problems.add("HOST", "must be set, for example LUX_HOST=192.168.1.20", "")
    places = _places(values, problems)
    for complaint in chain(machine.clashes(places), machine.unusable(places, root) if needs_folders else ()):
        problems.add(*complaint)
    if problems:
        raise SettingsError(problems)
    return _settings(values | places, {key: layer[key].origin for key in RULES}, environ, root)


def _fill_in_zone(layer: Layer, environ: Mapping[str, str], root: Path) -> None:
    if "TIMEZONE" in layer and layer["TIMEZONE"].value == "":
        layer["TIMEZONE"] = Given(*machine.default_zone(environ, root))


def _checked(layer: Layer, problems: rules.Problems) -> dict[str, Any]:
    """The values that keep their rules."""
    values = {}
    for key, rule in RULES.items():
        if key not in layer:
            problems.add(key, "must stand in settings.toml", None)
            continue
        try:
            values[key] = rule(layer[key].value)
        except ValueError as error:
            problems.add(key, str(error), layer[key].value)
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
