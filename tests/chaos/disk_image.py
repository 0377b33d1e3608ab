"""A disk as it may stand after a power cut: what was fsynced, and of the rest any choice of pages and names.

A file is a number with two contents: `stable`, as of its last fsync, and `current`, as the process that wrote it sees
it. A folder is a number with its stable names and the changes of names since its last fsync. What differs are the
disk's pending units: a page of 4096 bytes, a file's size, a name that came, moved or went. A cut lets any choice of
them reach the disk. A page that did not, in a file that grew, holds zeros.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations
from pathlib import Path

#: Bytes that reach a disk together.
PAGE = 4096
#: So many units are tried in every combination, more of them in a few.
_ALL_OF = 3

#: What stands on a disk: the content of each file by its path, None for a folder.
Image = dict[str, bytes | None]


@dataclass(frozen=True)
class Move:
    """A name that comes (`old` is None), moves, or goes (`new` is None), all within one folder."""

    old: str | None
    new: str | None
    inode: int

    def land(self, names: dict[str, int]) -> None:
        if self.old is not None and names.get(self.old) == self.inode:
            del names[self.old]
        if self.new is not None:
            names[self.new] = self.inode


@dataclass
class File:
    """What of a file is on the disk for sure, and what its writer sees."""

    stable: bytes = b""
    current: bytes = b""

    @property
    def dirty(self) -> list[int]:
        """Pages that differ; where only zeros were added none does."""
        most = max(len(self.stable), len(self.current))
        return [page for page in range(-(-most // PAGE)) if _page(self.stable, page) != _page(self.current, page)]

    def landed(self, pages: set[int], *, size: bool) -> bytes:
        """The content when these dirty pages reached the disk, and the new size, or no more of it than they need."""
        needed = [min((page + 1) * PAGE, len(self.current)) for page in pages]
        length = len(self.current) if size else max([len(self.stable), *needed])
        whole = range(-(-length // PAGE))
        content = b"".join(_page(self.current if page in pages else self.stable, page) for page in whole)
        return content[:length]


@dataclass
class Folder:
    """Names that are on the disk for sure, and what was changed about them since."""

    stable: dict[str, int] = field(default_factory=dict)
    pending: list[Move] = field(default_factory=list)

    def landed(self, moves: set[int]) -> dict[str, int]:
        names = dict(self.stable)
        for i, move in enumerate(self.pending):
            if i in moves:
                move.land(names)
        return names


@dataclass(frozen=True)
class Unit:
    """One pending thing: `what` is `page`, `size` or `name`, `index` the page or which change of names."""

    what: str
    inode: int
    index: int = 0


class Disk:
    """Files and folders by number; the root is 0."""

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.folders: dict[int, Folder] = {0: Folder()}

    def sync(self, inode: int) -> None:
        """Let what is pending of one file or folder reach the disk for sure."""
        if inode in self.files:
            self.files[inode].stable = self.files[inode].current
            return
        folder = self.folders[inode]
        self.folders[inode] = Folder(folder.landed(set(range(len(folder.pending)))))

    def pending(self) -> list[Unit]:
        """What may or may not have reached the disk: contents first, then names in the order of their changes."""
        units: list[Unit] = []
        for inode, file in self.files.items():
            units += [Unit("page", inode, page) for page in file.dirty]
            units += [Unit("size", inode)] if len(file.stable) != len(file.current) else []
        names = ((inode, i) for inode, folder in self.folders.items() for i in range(len(folder.pending)))
        return units + [Unit("name", inode, i) for inode, i in names]

    def image(self, landed: frozenset[Unit] = frozenset()) -> Image:
        """What stands on the disk when only these units reached it."""
        return dict(self._walk(0, "", landed))

    def current(self) -> Image:
        """What the process sees that writes to the disk."""
        return self.image(frozenset(self.pending()))

    def images(self, chance: random.Random, draws: int) -> Iterator[Image]:
        """The disk after a cut now: what was fsynced, then choices of the rest.

        All choices where there are few; else everything, only the last unit, all but the first, and some drawn ones.
        """
        units = self.pending()
        yield self.image()
        chosen = _every_choice(units) if len(units) <= _ALL_OF else _some_choices(units, chance, draws)
        yield from map(self.image, chosen)

    def _walk(self, inode: int, path: str, landed: frozenset[Unit]) -> Iterator[tuple[str, bytes | None]]:
        if inode in self.files:
            pages = {unit.index for unit in landed if unit.what == "page" and unit.inode == inode}
            yield path, self.files[inode].landed(pages, size=Unit("size", inode) in landed)
            return
        yield path, None
        moves = {unit.index for unit in landed if unit.what == "name" and unit.inode == inode}
        for name, child in sorted(self.folders[inode].landed(moves).items()):
            yield from self._walk(child, f"{path}/{name}" if path else name, landed)


def write_image(folder: Path, image: Image) -> None:
    """Put an image into a folder that is not there yet."""
    for path, content in image.items():
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def _page(content: bytes, page: int) -> bytes:
    return content[page * PAGE : (page + 1) * PAGE].ljust(PAGE, b"\0")


def _every_choice(units: list[Unit]) -> Iterator[frozenset[Unit]]:
    return map(frozenset, chain.from_iterable(map(partial(combinations, units), range(1, len(units) + 1))))


def _some_choices(units: list[Unit], chance: random.Random, draws: int) -> Iterator[frozenset[Unit]]:
    yield frozenset(units)
    yield frozenset(units[-1:])
    yield frozenset(units[1:])
    for _ in range(draws):
        share = chance.random()
        yield frozenset(unit for unit in units if chance.random() < share)
