"""Reads a day's log part column by column: the rows that count beside the live ones."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pipeline import log_lines, log_schema
from pipeline.catalog import Catalog
from pipeline.columns import Columns, ColumnsBuilder
from pipeline.log import event
from pipeline.log_part import row_of
from pipeline.part import list_parts, log_of, path_of
from pipeline.rows import RowChanges
from pipeline.schema import LOG, Schema

log = logging.getLogger("shard")


def read(folder: Path, catalog: Catalog, day: date) -> tuple[Columns, Schema] | None:
    """The rows of a day's log part that count beside all live parts, with its schema; None where there is none.

    Raises:
        OSError: a part cannot be read.
    """
    path = path_of(folder, log_of(day))
    if path is None:
        return None
    try:
        found = log_lines.counted(folder, day, list_parts(folder))
        if found is None:
            return None
        schema = log_schema.with_header(folder, catalog, day, found.header)
    except ValueError as error:
        event(log, logging.ERROR, "part passed over", file=path, error=error)
        return None
    return _columns(schema, (line for _, line in found.rows())), schema


def _columns(schema: Schema, lines: Iterable[bytes]) -> Columns:
    builder = ColumnsBuilder(schema.sensors)
    before: tuple[int | None, ...] = (None,) * len(schema.sensors)
    for line in lines:
        try:
            row = row_of(line, schema.sensors)
        except ValueError as error:
            event(log, logging.WARNING, "bad line passed over", error=error)
            continue
        pairs = enumerate(zip(before, row.raws, strict=True))
        changes = [(i, raw) for i, (old, raw) in pairs if raw != old]
        builder.add(RowChanges(row.time_ms, row.offset_s, LOG, changes))
        before = row.raws
    return builder.build()
