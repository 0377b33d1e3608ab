"""The file layer: while it is active, every change below a trace's folder is recorded in the trace.

Functions of `os`, and `open`, are replaced. They do their work in the real folder, except for fsync, which is only
noted: what is durable, the trace tells and not this machine's disk. A change that the layer does not know is refused.
"""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from tests.chaos.disk_trace import Killed, Trace

_WRITING = os.O_WRONLY | os.O_RDWR
_KNOWN = ("open", "pwrite", "write", "ftruncate", "fsync", "replace", "unlink", "mkdir")
#: Changes that nothing below a trace makes; one that comes to be needed wants an operation of its own here.
_UNKNOWN = ("link", "symlink", "truncate", "rmdir", "rename", "writev", "pwritev", "sendfile", "fdatasync")


@contextmanager
def recording(trace: Trace) -> Iterator[None]:
    """While this lasts every change below the trace's folder goes into the trace."""
    layer = _Layer(trace)
    watched = {name: getattr(layer, name) for name in _KNOWN}
    refused = {name: partial(layer.refuse, name) for name in _UNKNOWN if hasattr(os, name)}
    with (
        mock.patch.dict(vars(os), {**watched, **refused, "remove": layer.unlink}),
        mock.patch.object(io, "open", layer.file),
        mock.patch.object(builtins, "open", layer.file),
    ):
        yield
    trace.check()


class _Layer:
    """What stands in for the functions of the same names."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._os = {name: getattr(os, name) for name in (*_KNOWN, *_UNKNOWN) if hasattr(os, name)}
        self._open_file = io.open

    def open(self, path: Any, flags: int, mode: int = 0o777, **keywords: Any) -> int:
        place = self._place(path)
        if place is None or not flags & _WRITING:
            return int(self._os["open"](path, flags, mode, **keywords))
        is_new = not place.exists()
        is_emptied = not is_new and bool(flags & os.O_TRUNC)
        if (is_new or is_emptied) and not self._trace.begin():
            raise Killed
        descriptor = int(self._os["open"](path, flags, mode, **keywords))
        if is_new:
            self._trace.came(place)
        if is_emptied:
            self._trace.resized(self._trace.number(place), 0)
        return descriptor

    def file(self, path: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        """`open`; what is written to such a file goes through `os.write`."""
        if not set(mode) & set("wax+") or self._place(path) is None:
            return self._open_file(path, mode, *arguments, **keywords)
        if mode != "wb":
            raise NotImplementedError(f"open {path} for {mode}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        return io.BufferedWriter(_Written(descriptor, "wb"))

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        number = self._trace.opened(descriptor)
        if number is None:
            return int(self._os["pwrite"](descriptor, data, offset))
        if not self._trace.begin():
            return len(data)
        written = int(self._os["pwrite"](descriptor, data, offset))
        self._trace.wrote(number, offset, bytes(data[:written]))
        return written

    def write(self, descriptor: int, data: Any) -> int:
        if self._trace.opened(descriptor) is None:
            return int(self._os["write"](descriptor, data))
        written = self.pwrite(descriptor, data, os.lseek(descriptor, 0, os.SEEK_CUR))
        os.lseek(descriptor, written, os.SEEK_CUR)
        return written

    def ftruncate(self, descriptor: int, length: int) -> None:
        number = self._trace.opened(descriptor)
        if number is None:
            self._os["ftruncate"](descriptor, length)
        elif self._trace.begin():
            self._os["ftruncate"](descriptor, length)
            self._trace.resized(number, length)

    def fsync(self, descriptor: Any) -> None:
        number = self._trace.opened(descriptor)
        if number is None:
            self._os["fsync"](descriptor)
        elif self._trace.begin():
            self._trace.synced(number)

    def replace(self, old: Any, new: Any, **keywords: Any) -> None:
        source, target = self._place(old), self._place(new)
        if source is None and target is None:
            self._os["replace"](old, new, **keywords)
            return
        if source is None or target is None or source.parent != target.parent:
            raise NotImplementedError(f"{old} is moved to another folder: {new}")
        if self._trace.begin():
            number, replaced = self._trace.number(source), self._trace.number(target) if target.exists() else None
            self._os["replace"](old, new, **keywords)
            self._trace.moved(source.parent, source.name, target.name, number, replaced)

    def unlink(self, path: Any, **keywords: Any) -> None:
        place = self._place(path)
        if place is None or not place.exists():
            self._os["unlink"](path, **keywords)
        elif self._trace.begin():
            number = self._trace.number(place)
            self._os["unlink"](path, **keywords)
            self._trace.moved(place.parent, place.name, None, number, None)

    def mkdir(self, path: Any, mode: int = 0o777, **keywords: Any) -> None:
        place = self._place(path)
        if place is None or place.exists():
            self._os["mkdir"](path, mode, **keywords)
        elif self._trace.begin():
            self._os["mkdir"](path, mode, **keywords)
            self._trace.came(place)

    def refuse(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Let a call pass that does not concern the folder."""
        if any(self._concerns(each) for each in arguments):
            raise NotImplementedError(f"os.{name} of {arguments} is not known to the layer")
        return self._os[name](*arguments, **keywords)

    def _concerns(self, argument: object) -> bool:
        if isinstance(argument, int):
            try:
                return self._trace.opened(argument) is not None
            except OSError:
                return False  # a number that is no open file
        return self._place(argument) is not None

    def _place(self, path: object) -> Path | None:
        """The absolute path of what lies below the folder; None for anything else."""
        if not isinstance(path, str | os.PathLike):
            return None
        place = Path(os.path.abspath(path))  # noqa: PTH100 - resolving would follow links
        return place if self._trace.root in place.parents else None


class _Written(io.FileIO):
    """A file whose writing goes through `os.write`."""

    def write(self, data: Any) -> int:
        return os.write(self.fileno(), data)
