"""What commands print for a person: tables of sensors, the state of the queue."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from pathlib import Path

from pipeline import labels
from pipeline import sensors as tables
from pipeline.errors import LoggerError
from pipeline.queue_view import QueueView
from pipeline.reading import Reading
from pipeline.sensors import Sensor

#: Counts (parameters, calculations, visibilities) of the tables, shown while no reading is known.
_TABLE_COUNTS = (1126, 260, 355)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text, two blanks between columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def size(n_bytes: float) -> str:
    """Bytes as a person reads them, in powers of 1000."""
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


def many(count: int, what: str) -> str:
    """How many of something there are, in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def queue(view: QueueView, path: Path) -> str:
    """The queue's state, one fact a line."""
    rows = [
        ("waiting", f"{view.depth} readings"),
        ("oldest", view.oldest or "-"),
        ("newest", view.newest or "-"),
        ("on disk", f"{size(view.bytes)} in {path}" if view.bytes else _no_queue(path)),
        ("quarantined", f"{view.quarantined} rows"),
    ]
    return columns(rows)


def _no_queue(path: Path) -> str:
    return f"no queue at {path}; is DATA_DIR the folder of your logger?"


def sensors(pattern: str, last: Reading | None) -> str:
    """A table of the sensors whose name or label, English or German, fits a shell pattern, or holds it where it has no
    wildcard.

    Raises:
        LoggerError: none fits.
    """
    counts = last.answer.counts if last else _TABLE_COUNTS
    raws = tables.integers(last.answer) if last else ()
    known = tables.columns(counts)
    wanted = pattern if any(c in pattern for c in "*?[") else f"*{pattern}*"
    fitting = [i for i, sensor in enumerate(known) if _fits(sensor, wanted.lower())]
    if not fitting:
        names = {name.lower(): name for sensor in known for name in _called(sensor)}
        near = [names[name] for name in difflib.get_close_matches(pattern.lower(), names, n=3, cutoff=0.5)]
        hint = f"near it: {', '.join(near)}" if near else "a part of a name, or a pattern such as '*Temperatur*'"
        raise LoggerError(f"no sensor's name fits {pattern!r}", hint=hint)
    head = ("name", "group", "index", "unit", "type", "last value", "what it is")
    rows = [_row(known[i], raws[i] if raws else None) for i in fitting]
    return columns([head, *rows])


def _called(sensor: Sensor) -> tuple[str, ...]:
    """A sensor's name, and what people call it."""
    label = labels.label(sensor.name)
    return (sensor.name, label.en, label.de) if label else (sensor.name,)


def _fits(sensor: Sensor, wanted: str) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), wanted) for name in _called(sensor))


def _row(sensor: Sensor, raw: int | None) -> tuple[str, ...]:
    group = tables.GROUPS[sensor.group]
    _, *called = _called(sensor)
    words = " / ".join(dict.fromkeys(called))
    return sensor.name, group, str(sensor.index), sensor.unit or "-", sensor.data_type, value(sensor, raw), words


def value(sensor: Sensor, raw: int | None) -> str:
    """A raw integer in the sensor's unit, a selection with its text; `-` where none is known."""
    if raw is None:
        return "-"
    text = f"{raw / sensor.divisor:.10g}"
    meaning = dict(sensor.codes).get(raw)
    return f"{text} ({meaning})" if meaning else text
