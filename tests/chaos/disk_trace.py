"""What a process does to the files below a folder, as a trace of operations that can be played on a `Disk`."""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos.disk_image import Disk, File, Folder, Image, Move


class Killed(BaseException):
    """Raised where a process dies: the operation is not done, and none after it."""


@dataclass(frozen=True)
class Operation:
    """One step of a trace, in words and as what it does to a disk; a note does nothing to it."""

    words: str
    apply: Callable[[Disk], object] = lambda _disk: None
    note: object = None


class Trace:
    """The operations below a folder; what stands there at the start counts as durable.

    `kill_at` is the operation, counted from 0, that the process dies before; `revive` lets a new one go on.
    """

    def __init__(self, root: Path, *, kill_at: int | None = None) -> None:
        self.root = root
        self.operations: list[Operation] = []
        #: Operations done, notes not counted.
        self.done = 0
        self.is_dead = False
        self._kill_at = kill_at
        self._next = 1
        self._numbers = {_key(os.stat(root)): 0}  # noqa: PTH116 - as the layer sees it
        self._start = Disk()
        for path in sorted(root.rglob("*")):
            parent = self.number(path.parent)
            content = None if path.is_dir() else path.read_bytes()
            _add(self._start, self._new_number(path), content, parent, path.name, is_stable=True)

    def start(self) -> Disk:
        """The disk as it stood before the first operation."""
        return copy.deepcopy(self._start)

    def disks(self) -> Iterator[Disk]:
        """The disk behind each operation; it is one and the same object."""
        disk = self.start()
        for operation in self.operations:
            operation.apply(disk)
            yield disk

    def end(self) -> Disk:
        """The disk behind all operations."""
        return deque([self.start(), *self.disks()], 1)[0]

    def revive(self) -> None:
        """Let a new process work on what the killed one left in the system's cache."""
        self.is_dead, self._kill_at = False, None

    def note(self, what: object) -> None:
        """Put into the trace what else happened at this moment."""
        if not self.is_dead:
            self.operations.append(Operation(f"note {what}", note=what))

    def check(self) -> None:
        """Hold all that was recorded against the real folder.

        Raises:
            AssertionError: the layer missed something.
        """
        there, told = _look(self.root), self.end().current()
        assert there == told, [path for path in there.keys() | told.keys() if there.get(path) != told.get(path)]

    def begin(self) -> bool:
        """Whether the next operation is done; a dead process does none.

        Raises:
            Killed: the process dies before it.
        """
        if self.is_dead:
            return False
        if self.done == self._kill_at:
            self.is_dead = True
            raise Killed
        self.done += 1
        return True

    def number(self, path: Path) -> int:
        """The number of a file or folder that stands there."""
        return self._numbers[_key(path.stat())]

    def opened(self, descriptor: int) -> int | None:
        """The number of an open file or folder; None for one that lies elsewhere."""
        return self._numbers.get(_key(os.fstat(descriptor)))

    def came(self, path: Path) -> None:
        """A new file or folder stands there."""
        parent, number = self.number(path.parent), self._new_number(path)
        content = None if path.is_dir() else b""
        self._record(f"new {path.name}", lambda disk: _add(disk, number, content, parent, path.name))

    def moved(self, folder: Path, old: str, new: str | None, number: int, replaced: int | None) -> None:
        """A file got another name in its folder, or none; `replaced` is the one that had it before."""
        gone = number if new is None else replaced
        self._numbers = {key: found for key, found in self._numbers.items() if found != gone}
        move, parent = Move(old, new, number), self.number(folder)
        words = f"rename {old} to {new}" if new else f"unlink {old}"
        self._record(words, lambda disk: disk.folders[parent].pending.append(move))

    def wrote(self, number: int, offset: int, data: bytes) -> None:
        self._record(f"write {len(data)} bytes at {offset} of file {number}", partial(_write, number, offset, data))

    def resized(self, number: int, size: int) -> None:
        self._record(f"cut file {number} at {size}", partial(_resize, number, size))

    def synced(self, number: int) -> None:
        self._record(f"fsync of {number}", lambda disk: disk.sync(number))

    def _record(self, words: str, apply: Callable[[Disk], object]) -> None:
        self.operations.append(Operation(words, apply))

    def _new_number(self, path: Path) -> int:
        number, self._next = self._next, self._next + 1
        self._numbers[_key(path.stat())] = number
        return number


def _key(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _look(root: Path) -> Image:
    paths = list(root.rglob("*"))
    found = {path.relative_to(root).as_posix(): None if path.is_dir() else path.read_bytes() for path in paths}
    return {"": None, **found}


def _add(disk: Disk, number: int, content: bytes | None, parent: int, name: str, *, is_stable: bool = False) -> None:
    if content is None:
        disk.folders[number] = Folder()
    else:
        disk.files[number] = File(content, content)
    disk.folders[parent].pending.append(Move(None, name, number))
    if is_stable:
        disk.sync(parent)


def _write(number: int, offset: int, data: bytes, disk: Disk) -> None:
    file = disk.files[number]
    file.current = file.current[:offset].ljust(offset, b"\0") + data + file.current[offset + len(data) :]


def _resize(number: int, size: int, disk: Disk) -> None:
    file = disk.files[number]
    file.current = file.current[:size].ljust(size, b"\0")
