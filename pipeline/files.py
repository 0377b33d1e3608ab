"""Files that survive a power cut: published whole, or not there.

A file is written beside its target as `.<name>.tmp`, fsynced, renamed over the target, and the folder fsynced. Files
that grow are written at offsets of their owner's, with `write_at`.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: A file being written is named `.<target>.tmp` beside its target; one found at start belongs to a dead process.
TEMPORARY = ".{}.tmp"

#: Error numbers that mean a full disk.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_FILE_MODE = 0o644

#: The files that threads of this process write now, before they are renamed.
_in_the_making: list[Path] = []
_lock = threading.Lock()


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write every byte from an offset on, however many pieces the kernel takes them in.

    Raises:
        OSError: the disk took no more; an unknown part of `data` may stand in the file.
    """
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def start_writeback(descriptor: int, offset: int, length: int) -> None:
    """Let the disk begin with bytes that are written, so that a later fsync finds less to do; nothing is promised."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)


def publish(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Put a whole file in its place: after a crash the old one is there, or the new one, never half of it.

    Where it need not be `durable`, that holds for a killed process and not for a power cut, and spares two syncs.

    Raises:
        OSError: the old one is there, or the new one under a name that may not be durable; the space is given back.
    """
    with beside(target) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
        try:
            write_at(descriptor, data, 0)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
    if durable:
        sync_folder(target.parent)


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """The path at which a file is written before it takes its target's place; gone where that fails, for its space."""
    temporary = target.with_name(TEMPORARY.format(target.name))
    made = temporary.absolute()
    with _lock:
        _in_the_making.append(made)
    try:
        yield temporary
    except BaseException:
        with suppress(OSError):  # what is left then goes at the next start
            temporary.unlink(missing_ok=True)
        raise
    finally:
        with _lock:
            _in_the_making.remove(made)


def remove_leftovers(folder: Path) -> None:
    """Remove files that a dead process was about to publish in a folder, and none that a thread of this one writes."""
    for leftover in folder.glob(TEMPORARY.format("*")):
        with _lock:
            if leftover.absolute() not in _in_the_making:
                leftover.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, each name durable in its parent; also the name of one that is there.

    Raises:
        OSError: it is not there, or may not be after a power cut.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    elif not folder.is_mount():
        # Who made it may have died before its name was durable; where we may not look, another one made it.
        with suppress(PermissionError):
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable: a rename or unlink holds after this, not before."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
