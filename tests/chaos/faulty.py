"""A disk that fails at chosen calls: stands between our own code and the operating system, for one process.

Only what changes files goes through it: SQLite's own writes and all reads do not.
"""

from __future__ import annotations

import errno
import io
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

#: Functions of `os` that our code changes files with; files opened for writing go through `pwrite` too.
_CALLS = ("open", "pwrite", "fsync", "ftruncate", "replace", "rename", "unlink", "mkdir")
#: Calls that a full disk still serves: they take no space.
_FREE = frozenset({"unlink", "ftruncate", "fsync", "rename", "replace"})
#: The real one, whatever stands in its place.
_PWRITE = os.pwrite
#: Calls that fail in a row where a failure lasts.
_LASTING = 12


@dataclass(frozen=True)
class Kind:
    """One way to fail: `once` or `lasting`; `how` is when the call does what it should all the same.

    `before`: not at all; `half`: half of a write; `after`: all of it; `short`: half of a write, and no error;
    `dropped`: what was written since the last fsync reads as it did before, as after a failed write-back.
    """

    code: int = errno.EIO
    how: str = "before"
    lasting: bool = False

    def hits(self, call: str) -> bool:
        """Whether it can befall a call."""
        if self.how in ("half", "short"):
            return call == "pwrite"
        if self.how == "dropped":
            return call == "fsync"
        if self.how == "after":
            return call != "open"
        return not (self.lasting and self.code in (errno.ENOSPC, errno.EDQUOT) and call in _FREE)


KINDS = (
    *(Kind(code) for code in (errno.EIO, errno.ENOSPC, errno.EDQUOT)),
    *(Kind(code, lasting=True) for code in (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS)),
    Kind(errno.EIO, "after"),
    Kind(errno.ENOSPC, "half"),
    Kind(errno.ENOSPC, "half", lasting=True),
    Kind(0, "short"),
    Kind(errno.EIO, "dropped"),
)


class FaultyDisk:
    """Lets the call number `at` fail in one way, and, where that lasts, the next ones that it can befall; or none."""

    def __init__(self, at: float = math.inf, kind: Kind = KINDS[0]) -> None:
        self._at = at
        self._kind = kind
        self._left = _LASTING if kind.lasting else 1
        self._unsynced: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
        #: Names of the calls so far, and how many of them failed.
        self.calls: list[str] = []
        self.failed = 0

    @contextmanager
    def used(self) -> Iterator[None]:
        """All calls of this process go through this disk."""
        with ExitStack() as stack:
            for name in _CALLS:
                stack.enter_context(patch.object(os, name, self._wrapped(name, getattr(os, name))))
            stack.enter_context(patch.object(io, "open", self._opening(io.open)))
            yield

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if name == "open" and not arguments[1] & (os.O_CREAT | os.O_RDWR | os.O_WRONLY):
                return real(*arguments, **keywords)  # a folder opened for its fsync
            return self.call(name, real, *arguments, **keywords)

        return call

    def call(self, name: str, real: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Do a call, or fail in its place."""
        number = len(self.calls)
        self.calls.append(name)
        if number < self._at or not self._left or not self._kind.hits(name):
            self._note(name, *arguments)
            return real(*arguments, **keywords)
        self._left -= 1
        self.failed += 1
        return self._fail(name, real, arguments, keywords)

    def _fail(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        how, done = self._kind.how, None
        if how in ("half", "short"):
            descriptor, data, *offset = arguments
            piece = bytes(data)[: max(len(data) // 2, 1)]
            self._note(name, descriptor, piece, *offset)
            done = real(descriptor, piece, *offset)
        elif how == "after":
            real(*arguments, **keywords)
        elif how == "dropped":
            self._drop(arguments[0])
        if how == "short":
            return done
        raise OSError(self._kind.code, os.strerror(self._kind.code), *_path(arguments))

    def _note(self, name: str, *arguments: Any) -> None:
        """Remember what stood where something is written, until an fsync."""
        if name == "pwrite":
            descriptor, data, offset = arguments
            before = Path(f"/proc/self/fd/{descriptor}").read_bytes()[offset : offset + len(data)]
            self._unsynced[os.fstat(descriptor).st_ino].append((offset, before.ljust(len(data), b"\0")))
        elif name == "fsync":
            self._unsynced.pop(os.fstat(arguments[0]).st_ino, None)

    def _drop(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        for offset, before in reversed(self._unsynced.pop(os.fstat(descriptor).st_ino, [])):
            _PWRITE(descriptor, before[: max(size - offset, 0)], offset)

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
            if mode != "wb":
                return real(file, mode, *arguments, **keywords)
            return io.BufferedWriter(self.call("open", _File, os.fspath(file), self))

        return opened


class _File(io.FileIO):
    """A file opened for writing whose writes go through the disk."""

    def __init__(self, path: str, disk: FaultyDisk) -> None:
        super().__init__(path, "wb")
        self._disk = disk

    def write(self, data: Any, /) -> int:
        at = self.tell()
        written = self._disk.call("pwrite", _PWRITE, self.fileno(), data, at)
        self.seek(at + written)
        return int(written)


def _path(arguments: tuple[Any, ...]) -> tuple[str, ...]:
    return (os.fspath(arguments[0]),) if not isinstance(arguments[0], int) else ()
