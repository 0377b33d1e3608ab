"""The settings of a command that works on the folder of a logger."""

from __future__ import annotations

from pipeline import data_format
from pipeline.errors import LoggerError
from pipeline.settings import Settings, load


def settings(*, needs_host: bool = False) -> Settings:
    """The settings in force, where this version knows what lies in their DATA_DIR: of another it would tell nonsense.

    Raises:
        SettingsError: they break rules.
        NewerFormatError: the folder is a newer version's.
    """
    chosen = load(needs_host=needs_host)
    data_format.check(chosen.data_dir)
    return chosen


def settings_with_shards(*, needs_host: bool = False) -> Settings:
    """The same, where shards are what the command works on.

    Raises:
        LoggerError: there are none, or as `settings` does.
    """
    chosen = settings(needs_host=needs_host)
    if not chosen.output.shards.is_dir():
        raise LoggerError(f"no shards in {chosen.output.shards}", hint="is DATA_DIR the folder of your logger?")
    return chosen
