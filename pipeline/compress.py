"""Compresses a file in place: `NAME` becomes `NAME.gz`, and at every moment one of them is whole.

Written beside, fsynced, read back and compared, renamed, folder fsynced; only then the plain file goes. Where both
stand, the plain one counts, and the pair is compared again before one goes.
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pipeline import files

_CHUNK = 1 << 20


def compress(path: Path, guard: Callable[[], AbstractContextManager[object]] = nullcontext) -> int:
    """Replace a plain file by its compressed form; gives the bytes freed, 0 where the file changed meanwhile.

    `guard` is held while the plain file goes, so that nobody appends to it then.

    Raises:
        OSError: the plain file still stands.
    """
    before = path.stat()
    target = path.with_name(path.name + ".gz")
    if not (target.exists() and _is_same(path, target)):
        _write(path, target)
    # Also for one that was found: who renamed it may have died before its name was durable.
    files.sync_folder(path.parent)
    with guard():
        after = path.stat()
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            return 0
        path.unlink()
        files.sync_folder(path.parent)
    return before.st_size - target.stat().st_size


def _write(path: Path, target: Path) -> None:
    with files.beside(target) as temporary:
        with path.open("rb") as source, temporary.open("wb") as raw:
            # No name and no time inside: the same content gives the same file.
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                shutil.copyfileobj(source, packed, _CHUNK)
            raw.flush()
            os.fsync(raw.fileno())
        if not _is_same(path, temporary):
            raise OSError(f"{temporary} did not read back as {path}")
        temporary.replace(target)


def _is_same(path: Path, packed: Path) -> bool:
    try:
        with path.open("rb") as plain, gzip.open(packed, "rb") as unpacked:
            while piece := plain.read(_CHUNK):
                if unpacked.read(len(piece)) != piece:
                    return False
            return not unpacked.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
