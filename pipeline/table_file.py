"""Writes a table as CSV, as one JSON document, or as a stream of JSON lines."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

from pipeline import labels, table_text
from pipeline.table import Table

#: Rows that are written at once.
_BATCH = 64


def names(table: Table, language: str | None) -> list[str]:
    """The names of all columns as they are written: the sensors' own, or what people call them, with the unit."""
    if language is None:
        return [*table.lead, *(field.name for field in table.fields)]
    found = list(table.lead)
    for field in table.fields:
        unit = f" [{field.sensor.unit}]" if field.sensor.unit else ""
        title = labels.text(field.sensor.name, language) + unit
        # The second meaning of a sensor has the same words.
        found.append(f"{title} ({field.name})" if title in found else title)
    return found


def write_csv(file: BinaryIO, table: Table, header: Sequence[str], *, german: bool = False) -> None:
    """As the shards are; `german` as a German spreadsheet opens it: semicolons, decimal commas, a byte order mark."""
    style = table_text.CSV_DE if german else table_text.CSV
    if german:
        file.write(codecs.BOM_UTF8)
    first = io.StringIO()
    csv.writer(first, delimiter=style.between, lineterminator="\n").writerow(header)
    file.write(first.getvalue().encode())
    for some in _batches(table, style):
        file.write("".join(some).encode())


def write_json(file: BinaryIO, table: Table, header: Sequence[str], about: dict[str, Any]) -> None:
    """One document: what it is about, the names of its columns, and an array for each row."""
    head = json.dumps({"metadata": about, "columns": list(header)}, ensure_ascii=False)
    file.write(f'{head[:-1]}, "data": ['.encode())
    before = "\n"
    for some in _batches(table, table_text.JSON_ARRAY):
        rows = ",\n".join(some)
        file.write(f"{before}{rows}".encode())
        before = ",\n"
    file.write(b"\n]}\n")


def write_lines(file: BinaryIO, table: Table, header: Sequence[str]) -> None:
    """An object for each row, one a line."""
    style = table_text.json_object(header)
    for some in _batches(table, style):
        file.write("".join(f"{row}\n" for row in some).encode())


def _batches(table: Table, style: table_text.Style) -> Iterator[list[str]]:
    """The rows, a few at a time: one of all sensors has 60 KB as a JSON object."""
    for block in table.blocks:
        rows = table_text.rows(table, block, style)
        while some := list(islice(rows, _BATCH)):
            yield some
