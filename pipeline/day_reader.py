"""Reads local days column by column, and reads on where the open day grew: what a page asks for again and again.

A part is appended to and never changed in front of its end while a service runs, so its rows are parsed once. Where a
part is not what it was (a mended file, a row that does not rise), it is read anew.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline import day_columns, log_columns
from pipeline.catalog import Catalog
from pipeline.columns import Columns, ColumnsBuilder, merged
from pipeline.part import Part, list_parts
from pipeline.rows import RowReader
from pipeline.schema import LEAD, Schema
from pipeline.survey import survey

#: Days that are remembered: the open one and the one before, which around midnight is not archived yet.
_DAYS = 2


@dataclass
class _Followed:
    """A plain part as far as it was read: which file, its schema, where its last whole line ends, its rows."""

    inode: int
    schema: Schema
    end: int
    last_ms: int = -1
    columns: Columns | None = None
    reader: RowReader = field(init=False)
    builder: ColumnsBuilder = field(init=False)

    def __post_init__(self) -> None:
        self.reader = RowReader(self.schema)
        self.builder = ColumnsBuilder(self.schema.sensors)


class DayReader:
    """Gives the columns of a day as `day_columns.read` does; for one thread at a time."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self._folder = folder
        self._catalog = catalog
        self._known: OrderedDict[date, dict[Part, _Followed]] = OrderedDict()

    def read(self, day: date) -> tuple[Columns, list[str]]:
        """The columns of all whole rows of a day, rising in time, and the hashes of the schemas that they have.

        Raises:
            OSError: a part cannot be read.
        """
        parts = {part: path for part, path in list_parts(self._folder).items() if part.day == day}
        if any(path.suffix == ".gz" for path in parts.values()):
            return day_columns.read(self._folder, self._catalog, day)
        followed = self._known.pop(day, {})
        found = {part: self._follow(part, path, followed.get(part)) for part, path in parts.items()}
        if None in found.values():
            return day_columns.read(self._folder, self._catalog, day)
        known = {part: one for part, one in found.items() if one}
        self._known[day] = known
        while len(self._known) > _DAYS:
            self._known.popitem(last=False)
        columns, schemas = [_columns(one) for one in known.values()], {one.schema.hash for one in known.values()}
        if logged := log_columns.read(self._folder, self._catalog, day):
            columns.append(logged[0])
            schemas.add(logged[1].hash)
        return merged(columns), sorted(schemas)

    def _follow(self, part: Part, path: Path, known: _Followed | None) -> _Followed | None:
        """A part up to its last whole line now; None where it has a line that is no row, or no schema fits it."""
        schema = self._catalog.schema_of(part)
        if schema is None:
            return None
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if known is None or (known.inode, known.schema.hash) != (status.st_ino, schema.hash):
                known = _Followed(status.st_ino, schema, len(schema.header))
            if status.st_size == known.end:
                return known
            found = survey(file, len(LEAD) + len(schema.sensors), known.end)
            if found.bad or status.st_size < known.end or (found.good and found.good[0].time_ms <= known.last_ms):
                return None
            for line in found.good:
                file.seek(line.offset)
                try:
                    known.builder.add(known.reader.changes(file.read(line.length)))
                except ValueError:  # `day_columns` tells of it
                    return None
                known.end, known.last_ms, known.columns = line.offset + line.length, line.time_ms, None
        return known


def _columns(known: _Followed) -> Columns:
    if known.columns is None:
        known.columns = known.builder.build()
    return known.columns
