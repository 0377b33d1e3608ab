"""One service for a set of folders: locks that a crash releases."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline import files
from pipeline.clock import utc_text
from pipeline.errors import AlreadyRunningError

#: The lock's file in each folder; it stays, and says who held it last.
NAME = ".lock"

#: How often, and seconds apart, a lock that somebody holds is asked for again.
_TRIES = 10
_BETWEEN_TRIES_S = 0.02


class InstanceLock:
    """Holds every folder, or none."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._held: list[int] = []

    def acquire(self) -> None:
        """Lock all folders, made where they are missing.

        Raises:
            AlreadyRunningError: another process holds one of them.
            OSError: a folder cannot be made or written.
        """
        try:
            for folder in self._folders:
                files.make_folder(folder)
            # One folder may have two names, through a link.
            for folder in dict.fromkeys(folder.resolve() for folder in self._folders):
                self._held.append(_lock(folder / NAME))
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file alone, waiting for whoever holds it.

    Raises:
        OSError: the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether a service works on a folder now."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> None:
    """Lock a file alone; `is_held` may hold it for a moment only to see whether it can, so that is waited for."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_BETWEEN_TRIES_S)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(descriptor)
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
        os.close(descriptor)
        hint = "one service a folder; stop the other one, or set another DATA_DIR, CACHE_PATH or OUTPUT_DIRS"
        raise AlreadyRunningError(f"{path.parent} is in use by {holder}", hint=hint) from None
    # The lock holds without its text: a service must start on a full disk too.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        files.write_at(descriptor, f"process {os.getpid()} since {utc_text(int(time.time() * 1000))}\n".encode(), 0)
    return descriptor
