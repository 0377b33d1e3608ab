"""Writes a table as a Stata file, version 118, as Stata 14 and newer read it.

pandas does it and needs the table whole: this module is imported where a Stata file is asked for, and never by the
service, which would carry pandas' 46 MB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import labels, memory
from pipeline.columns import SOURCES
from pipeline.errors import QueryError
from pipeline.table import Block, Field, Table

#: What Stata takes: version of the file, length of a variable's name and of its label, greatest whole number.
_VERSION, _NAME, _LABEL, _GREATEST = 118, 32, 80, 2_147_483_620
#: Bytes of memory for each row and each cell in it, measured: the columns, the frame, and pandas' records of it.
_ROW_BYTES, _CELL_BYTES = 200, 24
#: The most memory that a table may need, however much there is.
_MOST_BYTES = 1_000_000_000


def check(rows: int, columns: int, days: int) -> None:
    """See whether a table of so many rows over so many days fits into memory.

    Raises:
        QueryError: it does not; says what would.
    """
    most = min(_MOST_BYTES, memory.spare())
    needed = rows * (_ROW_BYTES + columns * _CELL_BYTES)
    if needed <= most:
        return
    fitting = max(0, most // rows - _ROW_BYTES) // _CELL_BYTES, days * most // needed
    raise QueryError(
        f"a Stata file of {columns} sensors and {rows} rows needs {needed / 1e6:.0f} MB of memory, "
        f"more than {most / 1e6:.0f} MB",
        hint=f"{fitting[0]} sensors over these {days} days fit, or these sensors over {fitting[1]} days, or longer "
        "steps (--every); CSV and JSON have no limit",
    )


def write(file: BinaryIO, table: Table, language: str) -> None:
    """The whole table: times as %tc without a zone (UTC, and wall time), what is missing as '.'."""
    frame = _frame(table)
    fields = dict(zip(frame.columns[3:], table.fields, strict=True))
    frame.to_stata(
        file,
        version=_VERSION,
        write_index=False,
        convert_dates={"time": "tc", "local_time": "tc"},
        data_label="Readings of a heat pump",
        variable_labels=_LEAD_LABELS[bool(table.step_ms)]
        | {name: _label(field, language) for name, field in fields.items()},
        value_labels={name: dict(field.sensor.codes) for name, field in fields.items() if field.sensor.codes},
    )


def variable_names(fields: Sequence[Field]) -> list[str]:
    """For each column a name that Stata takes, no two alike."""
    found: list[str] = []
    for field in fields:
        plain = re.sub(r"\W", "_", field.name, flags=re.ASCII)
        if not plain or plain[0].isdigit():
            plain = f"_{plain}"
        name, n = plain[:_NAME], 1
        while name in found:
            n += 1
            name = f"{plain[: _NAME - len(str(n)) - 1]}_{n}"
        found.append(name)
    return found


_LEAD_LABELS = {
    False: {"time": "UTC", "local_time": "wall time at the poll", "source": "live, or log"},
    True: {"time": "start of the step, UTC", "local_time": "start of the step, wall time", "readings": "readings"},
}


def _label(field: Field, language: str) -> str:
    name = field.sensor.name
    title = labels.text(name, language)
    words = name if title == name else f"{name}: {title}"
    unit = f" [{field.sensor.unit}]" if field.sensor.unit else ""
    return words[: _LABEL - len(unit)] + unit


def _frame(table: Table) -> pd.DataFrame:
    blocks = list(table.blocks)
    times = np.concatenate([block.times_ms for block in blocks])
    offsets_s = np.concatenate([block.offsets_s for block in blocks])
    third = np.concatenate([block.third for block in blocks])
    wall = (times // 1000 + offsets_s) * 1000
    columns: dict[str, object] = {
        "time": times.astype("datetime64[ms]"),
        "local_time": wall.astype("datetime64[ms]"),
        table.lead[2]: third if table.step_ms else pd.Series(np.array(SOURCES, dtype=object)[third], dtype=object),
    }
    for i, name in enumerate(variable_names(table.fields)):
        columns[name] = _column(blocks, i)
    return pd.DataFrame(columns, copy=False)


def _column(blocks: Sequence[Block], place: int) -> NDArray[np.generic]:
    """A column's values: whole numbers as such where none is missing, else floating ones."""
    pieces = []
    for block in blocks:
        cells, rows = block.cells[place], len(block.times_ms)
        values = np.broadcast_to(cells.values, rows)
        pieces.append(values if cells.present is None else np.where(cells.present, values, np.nan))
    values = np.concatenate(pieces)
    whole = not np.isnan(values).any() and bool((values == np.round(values)).all())
    if not whole or np.abs(values).max(initial=0) > _GREATEST:
        return values
    for kind, greatest in ((np.int8, 100), (np.int16, 32_740)):
        if np.abs(values).max(initial=0) <= greatest:
            return values.astype(kind)
    return values.astype(np.int32)
