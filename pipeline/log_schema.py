"""What the columns of a log part mean: its own schema tells, else the nearest live part that has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

from pipeline import log_lines
from pipeline.catalog import Catalog
from pipeline.part import list_parts, log_of
from pipeline.schema import LEAD, Schema
from pipeline.sensors import UNKNOWN_FIRMWARE, Sensor

#: Live parts that are looked at for the meaning of a column, the nearest first.
_NEAREST = 8


def sensors_for(folder: Path, catalog: Catalog, day: date, names: Collection[str]) -> tuple[Sensor, ...]:
    """What columns of some names mean on a day, in the order of the live columns, as its own live part or the nearest
    one tells; a name that none has is left out.
    """
    best: tuple[Sensor, ...] = ()
    for schema in _near(folder, catalog, day):
        found = tuple(sensor for sensor in schema.sensors if sensor.name in names)
        if len(found) > len(best):
            best = found
        if len(best) == len(names):
            break
    return best


def schema_of(folder: Path, catalog: Catalog, day: date) -> Schema | None:
    """The schema of a day's log part; None where there is none, or nothing tells it.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = log_lines.read(folder, day)
        return with_header(folder, catalog, day, found.header) if found else None
    except ValueError:
        return None


def with_header(folder: Path, catalog: Catalog, day: date, header: bytes) -> Schema:
    """The schema of a log part with this header: its own, or what the live columns of its names mean.

    Raises:
        OSError: a part cannot be read.
        ValueError: no schema fits it.
    """
    own = catalog.schema_of(log_of(day))
    if own and own.header == header:
        return own
    names = header.decode().rstrip("\n").split(",")[len(LEAD) :]
    found = Schema(*controller(folder, catalog, day), sensors_for(folder, catalog, day, names))
    if found.header != header:
        raise ValueError("no schema fits its header")
    return found


def controller(folder: Path, catalog: Catalog, day: date) -> tuple[str, int | None]:
    """Firmware and pump as the nearest live part tells them; the log itself does not."""
    nearest = next(_near(folder, catalog, day), None)
    return (nearest.firmware, nearest.pump_code) if nearest else (UNKNOWN_FIRMWARE, None)


def _near(folder: Path, catalog: Catalog, day: date) -> Iterator[Schema]:
    """The schemas of live parts, the nearest first, of a day the latest part."""
    order = sorted(list_parts(folder), key=lambda part: (abs((part.day - day).days), -part.number))
    return (schema for part in order[:_NEAREST] if (schema := catalog.schema_of(part)))
