"""What is done to a plain part before anything is appended: its bad tail is cut, its header mended, both kept aside."""

from __future__ import annotations

import logging
import os
from io import BytesIO
from pathlib import Path

from pipeline import files
from pipeline.errors import DamagedPartError
from pipeline.log import event
from pipeline.part import first_line
from pipeline.quarantine import BAD_HEADER, BAD_LINE, BAD_TAIL, Quarantine
from pipeline.schema import LEAD, Schema
from pipeline.survey import Survey, survey

log = logging.getLogger("repair")

_DONE = {BAD_LINE: "bad line passed over", BAD_TAIL: "bad tail cut", BAD_HEADER: "damaged header mended"}


def marred(quarantine: Path) -> set[str]:
    """Names of the plain parts in which bad lines stand that readers pass over."""
    return {
        name for path in quarantine.glob(f"*-{BAD_LINE}-*") for name, _, _ in [path.name.partition(f"-{BAD_LINE}-")]
    }


def mend(path: Path, schema: Schema, quarantine: Quarantine) -> Survey:
    """Look at every line of a plain part and leave it fit for appending; gives what stands in it then.

    Bad pieces in front of good lines stay where they are, since readers pass over them; their copy is kept.

    Raises:
        OSError: the part cannot be read, or a piece of it not be kept.
        DamagedPartError: nothing in it is of its schema; it is left as it is.
    """
    _mend_header(path, schema, quarantine)
    with path.open("rb") as file:
        found = survey(file, len(LEAD) + len(schema.sensors), len(schema.header))
        for offset, length in found.bad:
            _keep(quarantine, BAD_LINE, path, _piece(file.fileno(), offset, length), offset)
        if found.size > found.end:
            tail = _piece(file.fileno(), found.end, found.size - found.end)
            _keep(quarantine, BAD_TAIL, path, tail, found.end)
    if found.size > found.end:
        cut(path, found.end)
        found.size = found.end
    return found


def cut(path: Path, end: int) -> None:
    """Shorten a file to `end` bytes, durably."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mend_header(path: Path, schema: Schema, quarantine: Quarantine) -> None:
    if first_line(path) == schema.header:
        return
    content = path.read_bytes()
    start = _first_row(content, schema) if b"\n" in content else len(content)
    if start is None:
        raise DamagedPartError(path, "neither its header nor its lines are those of its schema")
    _keep(quarantine, BAD_HEADER, path, content[:start], 0)
    if start != len(schema.header):
        files.publish(path, schema.header + content[start:])
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        files.write_at(descriptor, schema.header, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_row(content: bytes, schema: Schema) -> int | None:
    """Where the rows begin behind a damaged header: at its old place or behind the first line; None if nowhere."""
    fields = len(LEAD) + len(schema.sensors)
    places = (len(schema.header), content.find(b"\n") + 1)
    rows = {place: survey(BytesIO(content), fields, place).good for place in places if place <= len(content)}
    best = max(rows, key=lambda place: len(rows[place]), default=None)
    if best is None or not rows[best]:
        return None
    return rows[best][0].offset if best != len(schema.header) else best


def _piece(descriptor: int, offset: int, length: int) -> bytes:
    return os.pread(descriptor, length, offset)


def _keep(quarantine: Quarantine, what: str, path: Path, piece: bytes, offset: int) -> None:
    origin = f"{path.name}-{what}-{offset}"
    is_new = not quarantine.holds(origin, piece)
    kept = quarantine.keep(origin, piece)
    if is_new:
        event(log, logging.WARNING, _DONE[what], file=path, offset=offset, bytes=len(piece), kept=kept)
