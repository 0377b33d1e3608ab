"""A table's rows as text: CSV, or JSON arrays and objects.

A column that does not change in a block is written once for all its rows, and each different value of another one once:
a year of all sensors is a billion cells, of which a hundredth change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat

import numpy as np

from pipeline.clock import local_text, utc_text
from pipeline.columns import SOURCES
from pipeline.table import Block, Cells, Table


@dataclass(frozen=True)
class Style:
    """How a row is written: `begin` and `end` around it, `between` its cells; a cell that is missing is `missing`, a
    text stands in `quote`; `keys` go before each cell.
    """

    begin: str
    between: str
    end: str
    missing: str
    quote: str = ""
    decimal: str = "."
    keys: Sequence[str] = ()


CSV = Style("", ",", "\n", "")
#: As a German spreadsheet reads numbers.
CSV_DE = Style("", ";", "\n", "", decimal=",")
JSON_ARRAY = Style("[", ",", "]", "null", '"')


def json_object(names: Sequence[str]) -> Style:
    """Each row an object with the names of all columns."""
    return Style("{", ",", "}", "null", '"', keys=[f"{json.dumps(name, ensure_ascii=False)}:" for name in names])


def rows(table: Table, block: Block, style: Style) -> Iterator[str]:
    """Each row of a block, line end not included but for what the style adds."""
    count = len(block.times_ms)
    offsets = block.offsets_s.tolist()
    times = block.times_ms.tolist()
    quote = style.quote
    columns: list[str | list[str]] = [
        [f"{quote}{utc_text(at)}{quote}" for at in times],
        [f"{quote}{local_text(at, offset)}{quote}" for at, offset in zip(times, offsets, strict=True)],
        [str(n) for n in block.third.tolist()]
        if table.step_ms
        else [f"{quote}{SOURCES[n]}{quote}" for n in block.third],
        *(_texts(cells, count, style) for cells in block.cells),
    ]
    if style.keys:
        columns = [_keyed(key, column) for key, column in zip(style.keys, columns, strict=True)]
    pieces = _joined(columns, style.between)
    return (f"{style.begin}{style.between.join(cells)}{style.end}" for cells in zip(*pieces, strict=False))


def _texts(cells: Cells, rows: int, style: Style) -> str | list[str]:
    """One text for all rows, or a text for each."""
    present = cells.present
    if present is not None and not present.any():
        return style.missing
    values, places = np.unique(cells.values, return_inverse=True)
    texts = [f"{value:.10g}".replace(".", style.decimal) for value in values.tolist()]
    if len(texts) == 1 and present is None:
        return texts[0]
    places = np.broadcast_to(places, rows)
    if present is not None:
        texts.append(style.missing)
        places = np.where(present, places, len(texts) - 1)
    return [texts[place] for place in places.tolist()]


def _keyed(key: str, column: str | list[str]) -> str | list[str]:
    return key + column if isinstance(column, str) else [key + text for text in column]


def _joined(columns: Sequence[str | list[str]], between: str) -> list[Iterator[str]]:
    """The columns, neighbours that are the same in all rows as one."""
    pieces: list[Iterator[str]] = []
    for same, group in groupby(columns, key=lambda column: isinstance(column, str)):
        if same:
            pieces.append(repeat(between.join(column for column in group if isinstance(column, str))))
        else:
            pieces += [iter(column) for column in group]
    return pieces
