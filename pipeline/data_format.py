"""The number in `format.json` of a DATA_DIR: which versions of the program may work on it.

One number for all that the settings place, also for a queue and output folders that lie elsewhere. It goes up only when
a program that knows no more than the number before would misread or damage what a newer one writes: another layout of
the folders, other rows of the queue, other lines of shards or of the gap book. Schemas, checkpoints, marks and the
archive have numbers of their own, and a program that does not know one leaves the file alone or makes it anew.

1: all versions up to now; a folder without the file has this format too.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline import VERSION, files
from pipeline.errors import NewerFormatError
from pipeline.log import event

log = logging.getLogger("format")

#: Name of the file in DATA_DIR.
NAME = "format.json"
#: What this version writes, and the newest that it reads.
FORMAT = 1
#: The format of a folder that does not say.
_FIRST = 1
#: No number.
_NONE = 0


@dataclass(frozen=True)
class DataFormat:
    """A number, and the version that gave it to the folder; empty where that is not known."""

    number: int
    written_by: str

    @property
    def writer(self) -> str:
        return f"version {self.written_by}" if self.written_by else "a newer version"

    def encode(self) -> bytes:
        return json.dumps({"format": self.number, "written_by": self.written_by}).encode() + b"\n"


def decode(data: bytes) -> DataFormat:
    """What the bytes of the file say. Whatever a later format adds, these two members stay.

    Raises:
        ValueError: they say no number.
    """
    try:
        document = json.loads(data)
        number, writer = document["format"], document.get("written_by")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no format: {type(error).__name__}: {error}") from error
    if type(number) is not int or number < _FIRST:
        raise ValueError(f"no format: {number!r}")
    return DataFormat(number, writer if isinstance(writer, str) else "")


def check(folder: Path, remedy: str = "set another DATA_DIR") -> None:
    """Refuse a folder that this version does not know; nothing is touched.

    Raises:
        NewerFormatError: a newer version gave it its number.
    """
    # A damaged file is told by the service, which mends it; until then the folder counts as one without it.
    with suppress(OSError, ValueError):
        _known(folder, remedy)


def claim(folder: Path) -> None:
    """Give a folder this version's number where it has an older one or none; for the process that holds its lock.

    A file that says nothing counts as none: as it is published whole, the disk has spoilt it, and a logger that stayed
    away for that would lose readings. Where a new number needs older files changed, that is done here before it is
    written: by looking at what is there, so that it can be broken off and done again.

    Raises:
        NewerFormatError: a newer version gave it its number.
        OSError: it needs a higher number, and the disk does not take it.
    """
    path, number = folder / NAME, _NONE
    try:
        number = _known(folder)
    except (OSError, ValueError) as error:
        event(log, logging.ERROR, "damaged format file is written anew", file=path, error=error)
    if number == FORMAT:
        return
    try:
        files.publish(path, DataFormat(FORMAT, VERSION).encode())
    except OSError as error:
        # Without its number an older program would take a folder of a higher one for its own.
        if FORMAT > _FIRST:
            raise
        event(log, logging.WARNING, "format file not written, the next start tries again", file=path, error=error)


def _known(folder: Path, remedy: str = "set another DATA_DIR") -> int:
    """The number of a folder, of those that this version knows; `_NONE` where there is no file."""
    try:
        found = decode((folder / NAME).read_bytes())
    except FileNotFoundError:
        return _NONE
    if found.number > FORMAT:
        wanted = f"{found.writer} or a newer one" if found.written_by else found.writer
        raise NewerFormatError(_told(folder, found), hint=f"use {wanted}, or {remedy}")
    return found.number


def _told(folder: Path, found: DataFormat) -> str:
    return (
        f"{folder} has format {found.number}, written by {found.writer}, "
        f"and this is version {VERSION}, which knows formats up to {FORMAT}"
    )
