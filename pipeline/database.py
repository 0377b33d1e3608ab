"""The queue's database as SQLite sees it: looked over before it is used, its troubles told in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.errors import DamagedQueueError, QueueError

#: Seconds to wait for another program's lock on the file: a stop must never wait long, and a later try is harmless.
BUSY_S = 1.0

#: What SQLite says when the file is not a sound database of ours any more; every other failure may pass. A plain error
#: is one of them: our statements never change, so one that names no table or column found a damaged schema.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


def look_over(path: Path, table: str) -> None:
    """Refuse a file that is no sound database with our columns; the library would leave such a one open for good."""
    if not path.exists() or not path.stat().st_size:
        return
    # Read-only, so that closing it leaves a log as it is: a damaged file is moved aside together with its log.
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DamagedQueueError(f"{path}: {verdict}")
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            # To the check any table is sound: the columns that are used are asked for by name.
            connection.execute(f"SELECT _id, data, timestamp FROM {table} LIMIT 1").fetchall()  # noqa: S608


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
        raise (DamagedQueueError if damaged else QueueError)(f"{path}: {error}") from error
    except OSError as error:
        raise QueueError(f"{path}: {error}") from error
