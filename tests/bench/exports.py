"""Exports from a year that stands in the archive: how long they take, and how much memory."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import day_columns
from pipeline.archive import Archive
from pipeline.catalog import Catalog
from pipeline.shelf import Shelf
from stages.export import Export, Request
from tests.bench import archive
from tests.bench.child import in_child
from tests.bench.figures import Figure, at_most
from tests.bench.machine import memory_mb
from tests.bench.year import Year

#: Temperatures, as an energy adviser wants them.
_GROUP = "temperatures"
_HOUR_MS = 3_600_000


def measure(folder: Path, *, short: bool) -> list[Figure]:
    """All sensors in full as CSV and as JSON, which the memory must not grow with; a group's hours."""
    year = Year(folder, 4, 24, plain=2) if short else Year(folder, 365)
    year.make()
    archive.fill(year)
    csv, lines = (_exported(year, form=form) for form in ("csv", "jsonl"))
    hours = _exported(year, form="csv", groups=[_GROUP], step_ms=_HOUR_MS)
    return [
        Figure("a year of all sensors as CSV", csv["seconds"], "s"),
        Figure("a year of all sensors as CSV, memory at its peak", csv["peak_mb"], "MB", at_most(150)),
        Figure("a year of all sensors as JSON lines", lines["seconds"], "s"),
        Figure("a year of all sensors as JSON lines, memory at its peak", lines["peak_mb"], "MB", at_most(150)),
        Figure("a year of the temperatures, each hour", hours["seconds"], "s"),
    ]


def _exported(year: Year, **wanted: Any) -> dict[str, float]:
    window = [moment.isoformat() for moment in (year.first, year.end)]
    return in_child(export, str(year.folder), *window, json.dumps(wanted))


def export(folder: str, start: str, end: str, wanted: str) -> dict[str, float]:
    """Export a window to nowhere: seconds, and the peak of the memory."""
    shards = Path(folder) / "shards"
    known = (shards, Catalog(shards))
    read, room = partial(day_columns.read, *known), partial(day_columns.room, *known)
    stored = Archive(Path(folder) / "archive" / "archive.db", Shelf(shards, Path(folder) / "quarantine"), read, room)
    request = Request(datetime.fromisoformat(start), datetime.fromisoformat(end), **json.loads(wanted))
    began = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        Export(stored, {}).to_stream(request, nowhere, lambda done, total: None)
    return {"seconds": time.perf_counter() - began, "peak_mb": memory_mb()[1]}
