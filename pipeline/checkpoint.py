"""How far a rollup file is, and what it is made from.

While a file grows as `.part`, its checkpoint holds the frozen plan (each source range) and the length and CRC-32 of
what is durable: it may lag the part file, never lead it. When the file is finished the checkpoint stays as its record:
the file is right as long as the record fits the shards.
"""

from __future__ import annotations

import json
import logging
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import files
from pipeline.log import event
from pipeline.span import Source

log = logging.getLogger("rollup")

#: Version of the checkpoint file's members.
FORMAT = 1
SUFFIX = ".checkpoint"
#: What a gzip file ends with: CRC-32 and length of what it holds.
_GZIP_END = struct.Struct("<II")


@dataclass(frozen=True)
class Checkpoint:
    """A plan and its progress: `steps` of it are done and stand in the first `length` bytes, whose CRC-32 is `crc`."""

    start_ms: int
    end_ms: int
    sources: tuple[Source, ...]
    steps: int = 0
    length: int = 0
    crc: int = 0
    finished: bool = False

    def is_plan_of(self, other: Checkpoint) -> bool:
        """Whether both make the same file from the same ranges."""
        return (self.start_ms, self.end_ms, self.sources) == (other.start_ms, other.end_ms, other.sources)

    def after(self, *, length: int, crc: int) -> Checkpoint:
        """One step further."""
        return replace(self, steps=self.steps + 1, length=length, crc=crc)

    def encode(self) -> bytes:
        document = {
            "format": FORMAT,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "sources": [source.encode() for source in self.sources],
            "steps": self.steps,
            "length": self.length,
            "crc": self.crc,
            "finished": self.finished,
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def decode(data: bytes) -> Checkpoint:
    """The checkpoint that `encode` made these bytes of.

    Raises:
        ValueError: the bytes are anything else.
    """
    try:
        document = json.loads(data)
        if document.pop("format") != FORMAT:
            raise ValueError("another format")
        found = Checkpoint(**document | {"sources": tuple(Source.decode(one) for one in document["sources"])})
        counts = (found.steps, found.length, found.crc)
        numbers = (found.start_ms, found.end_ms, *counts)
        if not all(type(number) is int for number in numbers) or min(counts) < 0 or type(found.finished) is not bool:
            raise ValueError("a member of another type")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a checkpoint: {type(error).__name__}: {error}") from error
    return found


def path_of(target: Path) -> Path:
    """Where the checkpoint of a file stands."""
    return target.with_name(target.name + SUFFIX)


def load(target: Path) -> Checkpoint | None:
    """The checkpoint of a file; None where there is none, or a damaged one, which is told and removed."""
    path = path_of(target)
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        event(log, logging.WARNING, "damaged checkpoint thrown away", file=path, error=error)
        path.unlink()
        return None


def is_of_length(record: Checkpoint, target: Path) -> bool:
    """Whether a finished file, compressed or not, is as long as its record says; of a compressed one its end tells it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if target.exists():
        return target.stat().st_size == record.length
    with target.with_name(target.name + ".gz").open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _GZIP_END.size, 0))
        end = file.read()
    return end == _GZIP_END.pack(record.crc, record.length % (1 << 32))


def save(target: Path, checkpoint: Checkpoint) -> None:
    """Publish the checkpoint of a file whose bytes are durable."""
    files.publish(path_of(target), checkpoint.encode())


def remove(target: Path) -> None:
    path_of(target).unlink(missing_ok=True)


def throw_away(target: Path) -> None:
    """Take the checkpoint of a file off the disk, before anything that it counts is written over."""
    remove(target)
    files.sync_folder(target.parent)


def stands(target: Path) -> bool:
    """Whether a finished file is there, compressed or not."""
    return target.exists() or target.with_name(target.name + ".gz").exists()


def discard(target: Path) -> None:
    """Remove a finished file with its record, the file first: a record alone is cleared away."""
    for path in (target.with_name(target.name + ".gz"), target):
        path.unlink(missing_ok=True)
    remove(target)
    files.sync_folder(target.parent)
