"""Reads a local day column by column from all parts of its shards, live rows and what the log has beside them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pipeline import log_columns, log_schema, readout
from pipeline.catalog import Catalog
from pipeline.columns import Columns, ColumnsBuilder, merged
from pipeline.log import event
from pipeline.part import list_parts
from pipeline.rows import RowReader
from pipeline.schema import Schema
from pipeline.sensors import Sensor

log = logging.getLogger("shard")


def read(folder: Path, catalog: Catalog, day: date) -> tuple[Columns, list[str]]:
    """The columns of all whole rows of a day, rising in time, and the hashes of the schemas that they have.

    Raises:
        OSError: a part cannot be read.
    """
    found, schemas = [], []
    for part in (part for part in list_parts(folder) if part.day == day):
        if rows := readout.rows(folder, catalog, part):
            schema, lines = rows
            found.append(_columns(schema, lines))
            schemas.append(schema.hash)
    if logged := log_columns.read(folder, catalog, day):
        found.append(logged[0])
        schemas.append(logged[1].hash)
    return merged(found), sorted(set(schemas))


def room(folder: Path, catalog: Catalog, day: date) -> set[Sensor]:
    """The sensors that a day's parts have room for.

    Raises:
        OSError: a part cannot be read.
    """
    live = (catalog.schema_of(part) for part in list_parts(folder) if part.day == day)
    schemas = (*live, log_schema.schema_of(folder, catalog, day))
    return {sensor for schema in schemas if schema for sensor in schema.sensors}


def _columns(schema: Schema, lines: Iterable[bytes]) -> Columns:
    reader, builder = RowReader(schema), ColumnsBuilder(schema.sensors)
    for line in lines:
        try:
            builder.add(reader.changes(line))
        except ValueError as error:
            event(log, logging.WARNING, "bad line passed over", error=error)
    return builder.build()
