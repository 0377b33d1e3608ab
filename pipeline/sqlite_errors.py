"""What SQLite raises, in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import LoggerError

#: What SQLite says when a file is not a sound database of ours any more; every other failure may pass. A plain error is
#: one of them: our statements never change, so one that names no table or column found a damaged schema.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


@contextmanager
def translated(path: Path, failed: type[LoggerError], damaged: type[LoggerError]) -> Iterator[None]:
    """Turns what goes wrong with a database at a path into one of two errors."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
        raise (damaged if is_damaged else failed)(f"{path}: {error}") from error
    except OSError as error:
        raise failed(f"{path}: {error}") from error
