"""What must hold on a disk after a power cut: before anything starts on it, and when a logger has settled it."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

from pipeline import checkpoint, window
from pipeline.part import DAMAGE
from pipeline.reading import Answer
from pipeline.rollup_file import PART_SUFFIX
from tests.chaos.disk_image import Image
from tests.chaos.disk_trace import Trace
from tests.chaos.examine import check_names, contents
from tests.chaos.power_scenes import GARBAGE, Published, Queued
from tests.chaos.tally import BrokenError
from tests.parts import stored

#: Every content that a published file had, by its plain path.
Versions = Mapping[str, set[bytes]]


@dataclass(frozen=True)
class Known:
    """What a settled folder holds: each answer and how often, and the published files by plain name."""

    answers: Counter[Answer]
    published: dict[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> Self:
        return cls(Counter(reading.answer for reading in stored(folder)), contents(folder))


def versions_of(trace: Trace) -> Versions:
    """Every content that stood under a published name at any moment of a trace.

    Raises:
        BrokenError: one was not whole then.
    """
    found = defaultdict(set)
    for disk in chain([trace.start()], trace.disks()):
        for path, content in _published(disk.current()):
            found[path].add(content)
    return found


def check_standing(image: Image, queued: Queued, published: Published, versions: Versions, known: Known) -> None:
    """Look at a disk as the power cut left it.

    Raises:
        BrokenError: a published file is not whole or not there, a checkpoint leads its file, or a piece is not in
            quarantine that was acknowledged into it.
    """
    there = dict(_published(image))
    if torn := [path for path, content in there.items() if content not in versions[path]]:
        raise BrokenError(f"published files that nobody published so: {torn}")
    names = {path.partition("/")[2] for path in there}
    if gone := (published.files.keys() & known.published.keys()) - names:
        raise BrokenError(f"published files are gone: {sorted(gone)}")
    for path, content in image.items():
        if path.endswith(checkpoint.SUFFIX) and content is not None:
            _check_checkpoint(path.removesuffix(checkpoint.SUFFIX), content, image, known)
    kept = {content for path, content in image.items() if path.startswith("quarantine/")}
    acknowledged = queued.taken[: len(queued.taken) - len(queued.waiting)]
    if lost := [row for row in acknowledged if row.startswith(GARBAGE) and row not in kept]:
        raise BrokenError(f"acknowledged and not in quarantine: {lost}")


def check_settled(folder: Path, known: Known) -> None:
    """Look at a folder when a logger has done on it all that there is to do.

    Raises:
        BrokenError: something is left over, or a published file is not that of an undisturbed logger.
    """
    check_names(folder)
    found = contents(folder)
    names = found.keys() | known.published.keys()
    if wrong := sorted(name for name in names if found.get(name) != known.published.get(name)):
        raise BrokenError(f"published files that an undisturbed logger makes otherwise: {wrong}")


def _published(image: Image) -> Iterator[tuple[str, bytes]]:
    """The published files of an image by plain path, a compressed one before the plain one that counts."""
    for path in sorted(image, reverse=True):
        folder, _, name = path.partition("/")
        content = image[path]
        if folder in window.KINDS and window.parse_name(name) and content is not None:
            yield path.removesuffix(".gz"), _unpacked(path, content)


def _unpacked(path: str, content: bytes) -> bytes:
    try:
        return gzip.decompress(content) if path.endswith(".gz") else content
    except DAMAGE as error:
        raise BrokenError(f"{path} is not whole: {error}") from error


def _check_checkpoint(target: str, content: bytes, image: Image, known: Known) -> None:
    """A checkpoint may lag its file, never lead it: what it says is done must be there."""
    try:
        saved = checkpoint.decode(content)
    except ValueError as error:
        raise BrokenError(f"the checkpoint of {target} is not whole") from error
    published = dict(_published(image)).get(target)
    if saved.finished and published is None and target.partition("/")[2] not in known.published:
        return  # an old file was deleted, its record goes next
    files = [published] if saved.finished else [published, image.get(target + PART_SUFFIX)]
    done = [file[: saved.length] for file in files if file is not None]
    if not any(len(file) == saved.length and zlib.crc32(file) == saved.crc for file in done):
        raise BrokenError(f"the checkpoint of {target} leads its file")
