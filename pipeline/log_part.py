"""The log part of a local day, `YYYY-MM-DD.log.csv`: rows from the controller's own log, for minutes without a poll.

It is made whole and published by rename, never appended to; no live part is touched. `YYYY-MM-DD.log.json` stands there
before it and goes after it: the poll interval, by which readers leave out rows that a live one stands near, and a
report of how the rows were found. The schema is published before both, as that of any part.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline import files, log_lines, log_schema
from pipeline.catalog import Catalog
from pipeline.cells import offset_of, raw_of, text_of
from pipeline.clock import local_text, parse_utc_text, utc_text
from pipeline.log import event
from pipeline.part import about_log, list_all, log_of, path_of
from pipeline.schema import LEAD, LOG, Schema
from pipeline.sensors import Sensor
from pipeline.span import DirtyPartError

log = logging.getLogger("shard")

#: Version of the members of the file beside a log part.
FORMAT = 1


@dataclass(frozen=True)
class LogRow:
    """A row of the log: its time (UTC, ms), the zone's offset there (s), a raw integer or nothing for each sensor."""

    time_ms: int
    offset_s: int
    raws: tuple[int | None, ...]


@dataclass(frozen=True)
class LogDay:
    """The rows of a local day, rising in time, of sensors in the order of their columns; `interval_ms` is the poll
    interval: a live row that is nearer to a log row counts in its place.
    """

    day: date
    sensors: tuple[Sensor, ...]
    rows: tuple[LogRow, ...]
    interval_ms: int

    def encode(self) -> bytes:
        """The part's bytes."""
        header = ",".join([*LEAD, *(sensor.name for sensor in self.sensors)]) + "\n"
        return (header + "".join(map(self._line, self.rows))).encode()

    def _line(self, row: LogRow) -> str:
        pairs = zip(row.raws, self.sensors, strict=True)
        cells = ",".join(text_of(raw, sensor.divisor) for raw, sensor in pairs)
        return f"{utc_text(row.time_ms)},{local_text(row.time_ms, row.offset_s)},{LOG},{cells}\n"


def publish(folder: Path, catalog: Catalog, one: LogDay, report: Mapping[str, Any] | None = None) -> bool:
    """Put a day's log part in place of what stood there, with a JSON report beside it; without rows the part goes.

    Gives whether anything changed.

    Raises:
        OSError: the old part is there, or the new one; publish again.
        ValueError: the rows do not rise, or have other sensors.
    """
    if any(after.time_ms <= before.time_ms for before, after in pairwise(one.rows)):
        raise ValueError(f"log rows of {one.day} that do not rise")
    if one.rows and not one.sensors:
        raise ValueError(f"log rows of {one.day} without a sensor")
    about = _about(one, report or {})
    if not one.rows:
        return _withdraw(folder, catalog, one.day, about, is_telling=bool(report))
    part, content = log_of(one.day), one.encode()
    is_other = _content(folder, one.day) != content
    if is_other:
        files.make_folder(folder)
        firmware, pump_code = log_schema.controller(folder, catalog, one.day)
        catalog.register(part, Schema(firmware, pump_code, one.sensors))
    is_told = _tell(folder, catalog, one.day, about)
    if is_other:
        catalog.publish(part.name, content)
        _unlink(folder, f"{part.name}.gz")
    return is_other or is_told


def load(folder: Path, catalog: Catalog, day: date) -> LogDay | None:
    """The log part of a day as it was published; None where there is none, or a damaged one, which is told.

    Raises:
        OSError: it cannot be read.
    """
    path = path_of(folder, log_of(day))
    try:
        found = log_lines.read(folder, day)
        if found is None:
            return None
        if not found.is_whole:
            raise ValueError("lines that are no rows")
        schema = log_schema.with_header(folder, catalog, day, found.header)
        rows = tuple(row_of(line, schema.sensors) for _, line in found.rows())
    except ValueError as error:
        event(log, logging.WARNING, "log part is damaged", file=path, error=error)
        return None
    return LogDay(day, schema.sensors, rows, found.interval_ms)


def days(folder: Path) -> list[date]:
    """The local days that have a log part, in order."""
    return [part.day for part in list_all(folder) if part.is_log]


def row_of(line: bytes, sensors: tuple[Sensor, ...]) -> LogRow:
    """The row of one whole line.

    Raises:
        ValueError: the line is none of these sensors.
    """
    time_text, wall_text, source, *cells = line.decode().rstrip("\n").split(",")
    if source != LOG:
        raise ValueError(f"a row of the log from {source!r}")
    time_ms = parse_utc_text(time_text)
    raws = (raw_of(cell, sensor.divisor) for cell, sensor in zip(cells, sensors, strict=True))
    return LogRow(time_ms, offset_of(time_ms, wall_text), tuple(raws))


def _about(one: LogDay, report: Mapping[str, Any]) -> bytes:
    document = {
        "format": FORMAT,
        "day": str(one.day),
        "interval_ms": one.interval_ms,
        "rows": len(one.rows),
        "report": dict(report),
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _tell(folder: Path, catalog: Catalog, day: date, about: bytes) -> bool:
    path = folder / about_log(day)
    if path.exists() and path.read_bytes() == about:
        return False
    files.make_folder(folder)
    catalog.publish(path.name, about)
    return True


def _withdraw(folder: Path, catalog: Catalog, day: date, about: bytes, *, is_telling: bool) -> bool:
    """Take a part away; what is told of it stays, so that nobody takes it for one that went with its day."""
    name = log_of(day).name
    # The compressed one first: where both stand the plain one counts.
    is_gone = any([_unlink(folder, f"{name}.gz"), _unlink(folder, name)])
    if is_gone:
        catalog.renew()
    is_told = is_gone or is_telling or (folder / about_log(day)).exists()
    return (_tell(folder, catalog, day, about) if is_told else False) or is_gone


def _unlink(folder: Path, name: str) -> bool:
    try:
        (folder / name).unlink()
    except FileNotFoundError:
        return False
    files.sync_folder(folder)
    return True


def _content(folder: Path, day: date) -> bytes | None:
    """The bytes of a day's log part; None where there is no whole one."""
    try:
        found = log_lines.read(folder, day)
    except DirtyPartError:
        return None
    return found.content if found and found.is_whole else None
