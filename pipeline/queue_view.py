"""A look at the queue from outside the service that changes nothing, not even the index of the write-ahead log."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import quarantine
from pipeline.clock import utc_text
from pipeline.errors import DamagedReadingError, QueueError
from pipeline.library_queue import TABLE
from pipeline.queue import Queue
from pipeline.reading import decode
from pipeline.salvage import SUFFIXES


@dataclass(frozen=True)
class QueueView:
    """What waits: readings, times of the oldest and newest (UTC text), bytes on disk, rows in quarantine."""

    depth: int
    oldest: str | None
    newest: str | None
    bytes: int
    quarantined: int


def look(path: Path, quarantine_folder: Path) -> QueueView:
    """The state of the queue at a path, whether a service runs on it or not.

    Raises:
        QueueError: the file is no queue.
    """
    size, kept = _size(path), quarantine.count(quarantine_folder, quarantine.FROM_QUEUE)
    if not path.exists() or not path.stat().st_size:
        return QueueView(0, None, None, size, kept)
    try:
        with _opened(path) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                # A service is about to make it.
                return QueueView(0, None, None, size, kept)
            return QueueView(*_waiting(connection), size, kept)
    except sqlite3.DatabaseError as error:
        raise QueueError(f"{path}: {error}", hint="a running service moves a damaged queue aside by itself") from error


def of(queue: Queue, quarantine_folder: Path) -> QueueView:
    """The state of a queue that this process has open.

    It is asked through the queue's own connection: connections of one process share what they know of the log, and one
    that may not write it would forbid that to the queue's too.

    Raises:
        QueueError: it cannot be read now.
    """
    kept = quarantine.count(quarantine_folder, quarantine.FROM_QUEUE)
    return QueueView(*queue.ask(_waiting), _size(queue.path), kept)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path) if file.exists())


def _waiting(connection: sqlite3.Connection) -> tuple[int, str | None, str | None]:
    """How many readings wait, and the times of the oldest and the newest."""
    depth = connection.execute(f"SELECT COUNT(*) FROM {TABLE}").fetchone()[0]  # noqa: S608
    return depth, _time(connection, "ASC"), _time(connection, "DESC")


def _files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in SUFFIXES]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    _, wal, shm = _files(path)
    if not wal.exists() or not wal.stat().st_size:
        with closing(_connect(path, "immutable=1")) as connection:
            yield connection
    elif shm.exists():
        # A service may be writing: its index is read, never written.
        with closing(_connect(path, "mode=ro&readonly_shm=1")) as connection:
            yield connection
    else:
        # Nobody writes: SQLite would make an index beside the log, so a copy is read.
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            for source in (path, wal):
                shutil.copyfile(source, copy.with_name(source.name))
            with closing(_connect(copy, "mode=ro")) as connection:
                yield connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=10)


def _time(connection: sqlite3.Connection, order: str) -> str | None:
    """The time of the first reading that can be decoded from one end."""
    for (data,) in connection.execute(f"SELECT data FROM {TABLE} ORDER BY _id {order}"):  # noqa: S608
        try:
            return utc_text(decode(data).time_ms)
        except (DamagedReadingError, TypeError):
            continue
    return None
