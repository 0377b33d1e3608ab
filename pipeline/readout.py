"""Reads readings back from shard parts, in time order, however many parts their days have."""

from __future__ import annotations

import heapq
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from pipeline.catalog import Catalog
from pipeline.clock import ALWAYS, from_ms
from pipeline.errors import DamagedPartError
from pipeline.log import event
from pipeline.part import Part, first_line, list_parts, open_part, with_file
from pipeline.reading import Reading
from pipeline.rows import RowReader
from pipeline.schema import LEAD, Schema
from pipeline.survey import Line, survey

log = logging.getLogger("shard")

#: A day is a label fixed at the poll; its rows lie within so many days of its UTC date, whatever the zone was.
_SPREAD = timedelta(days=2)


def read(folder: Path, catalog: Catalog, start_ms: int, end_ms: int) -> Iterator[Reading]:
    """The readings of [start, end) that stand in a folder's shards, rising in time; equal times by part."""
    first, last = _days(start_ms, end_ms)
    waiting = deque(part for part in list_parts(folder) if first <= part.day <= last)
    # Only parts that can hold the next reading are open, so a long range needs no more memory than a short one.
    heap: list[tuple[int, Part, Reading, Iterator[Reading]]] = []
    while waiting or heap:
        while waiting and (not heap or _reaches(waiting[0].day, heap[0][0])):
            part = waiting.popleft()
            _push(heap, part, _rows(folder, part, catalog, start_ms, end_ms))
        if heap:
            _, part, reading, rows = heapq.heappop(heap)
            yield reading
            _push(heap, part, rows)


def last(folder: Path, catalog: Catalog) -> Reading | None:
    """The newest reading that stands in a folder's shards."""
    parts = list_parts(folder)
    for day in sorted({part.day for part in parts}, reverse=True):
        rows = (_rows(folder, part, catalog, *ALWAYS, newest_only=True) for part in parts if part.day == day)
        found = [reading for part_rows in rows for reading in part_rows]
        if found:
            return max(found, key=lambda reading: reading.time_ms)
    return None


def times(folder: Path, start_ms: int, end_ms: int) -> Iterator[int]:
    """The times of all whole lines of [start, end) in a folder's shards, in no order, without reading their values."""
    first, last = _days(start_ms, end_ms)
    for part in list_parts(folder):
        if first <= part.day <= last:
            yield from (time_ms for time_ms in _times(folder, part) if start_ms <= time_ms < end_ms)


def _times(folder: Path, part: Part) -> list[int]:
    try:
        opened = _open_anew(folder, part)
        if opened is None:
            return []
        path, file = opened
        with file:
            header = first_line(path)
            found = survey(file, header.count(b",") + 1, len(header))
    except OSError as error:
        event(log, logging.ERROR, "part passed over", file=folder / part.name, error=error)
        return []
    return [line.time_ms for line in found.good]


def _days(start_ms: int, end_ms: int) -> tuple[date, date]:
    """The first and last label that a day with readings of [start, end) can have."""
    first, last = (from_ms(max(ALWAYS[0], min(at, ALWAYS[1]))).date() for at in (start_ms, end_ms))
    return first - _SPREAD, last + _SPREAD


def before(folder: Path, catalog: Catalog, order: Sequence[Part], part: Part, time_ms: int) -> Reading | None:
    """The newest reading earlier than a time in the parts that come before one in the order of all."""
    for _, parts in groupby(reversed(order[: bisect_left(order, part)]), key=lambda each: each.day):
        rows = (_rows(folder, each, catalog, ALWAYS[0], time_ms, newest_only=True) for each in parts)
        found = [reading for part_rows in rows for reading in part_rows]
        if found:
            return max(found, key=lambda reading: reading.time_ms)
    return None


def follow(folder: Path, catalog: Catalog, part: Part, start: int = 0) -> Iterator[tuple[Line, Reading]]:
    """The rows of one part from an offset of its uncompressed file on, where one begins; 0 is its first row."""
    schema = catalog.schema_of(part)
    opened = _open_anew(folder, part) if schema else None
    if schema and opened:
        path, file = opened
        with file:
            yield from _parsed(path, file, part, schema, _good_lines(path, file, schema, start))


def rows(folder: Path, catalog: Catalog, part: Part) -> tuple[Schema, Iterator[bytes]] | None:
    """The schema of a part and its whole lines; None where it is gone or no schema fits it."""
    schema = catalog.schema_of(part)
    return (schema, _lines(folder, part, schema)) if schema else None


def _lines(folder: Path, part: Part, schema: Schema) -> Iterator[bytes]:
    opened = _open_anew(folder, part)
    if opened:
        path, file = opened
        with file:
            for line in _good_lines(path, file, schema):
                file.seek(line.offset)
                yield file.read(line.length)


def _reaches(day: date, time_ms: int) -> bool:
    return day - _SPREAD <= from_ms(time_ms).date()


def _push(heap: list[tuple[int, Part, Reading, Iterator[Reading]]], part: Part, rows: Iterator[Reading]) -> None:
    reading = next(rows, None)
    if reading is not None:
        heapq.heappush(heap, (reading.time_ms, part, reading, rows))


def _rows(
    folder: Path, part: Part, catalog: Catalog, start_ms: int, end_ms: int, *, newest_only: bool = False
) -> Iterator[Reading]:
    schema = catalog.schema_of(part)
    opened = _open_anew(folder, part)
    if opened is None:
        return
    path, file = opened
    with file:
        if schema is None:
            event(log, logging.ERROR, "part passed over", error=DamagedPartError(path, "no schema fits its header"))
            return
        lines = [line for line in _good_lines(path, file, schema) if start_ms <= line.time_ms < end_ms]
        wanted = lines[-1:] if newest_only else lines
        yield from (reading for _, reading in _parsed(path, file, part, schema, wanted))


def _parsed(
    path: Path, file: BinaryIO, part: Part, schema: Schema, lines: list[Line]
) -> Iterator[tuple[Line, Reading]]:
    reader = RowReader(schema)
    for line in lines:
        file.seek(line.offset)
        try:
            yield line, reader.reading(file.read(line.length), part.day)
        except ValueError as error:
            event(log, logging.WARNING, "bad line passed over", file=path, offset=line.offset, error=error)


def _open_anew(folder: Path, part: Part) -> tuple[Path, BinaryIO] | None:
    return with_file(folder, part, lambda path: (path, open_part(path)))


def _good_lines(path: Path, file: BinaryIO, schema: Schema, start: int = 0) -> list[Line]:
    found = survey(file, len(LEAD) + len(schema.sensors), start or len(schema.header))
    if found.damage:
        event(log, logging.ERROR, "compressed part is damaged", file=path, rows=len(found.good), error=found.damage)
    return found.good
