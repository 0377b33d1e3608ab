"""The growing end of one shard part: rows wait in memory until a commit makes them durable.

Bytes are written behind the last offset that was fsynced; after any failure the part is cut back to that offset and
written again, because a failed fsync may have dropped pages that only look written.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pipeline import files, repair
from pipeline.errors import ChangedPartError
from pipeline.log import event
from pipeline.reading import Reading
from pipeline.rows import RowWriter
from pipeline.schema import Schema
from pipeline.survey import Line, digest

log = logging.getLogger("shard")


class Appender:
    """A plain part that rows can be appended to; `end` is its last durable offset."""

    def __init__(self, path: Path, writer: RowWriter, *, last_ms: int | None, end: int) -> None:
        self.path = path
        self.end = end
        self.last_ms = last_ms
        #: Whether bytes of ours may stand behind `end`.
        self.is_dirty = False
        self._writer = writer
        self._waiting: list[bytes] = []
        self._loaded_end = end
        self._rewrite_from: int | None = None
        self._found: bytes | None = None

    def can_take(self, schema: Schema, time_ms: int) -> bool:
        return (self.last_ms is None or self.last_ms < time_ms) and self._writer.schema.covers(schema)

    def stage(self, reading: Reading, time_ms: int) -> Line:
        line = self._writer.line(reading, time_ms)
        offset = self.end + sum(map(len, self._waiting))
        self._waiting.append(line)
        self.last_ms = time_ms
        return Line(time_ms, offset, len(line), digest(line))

    def prove(self, offset: int) -> None:
        """Write the rows from an offset again at the next commit, if they were found and not written here.

        A process before this one may have failed to fsync them and died: they can be read, and yet not be on disk.
        """
        if offset < self._loaded_end:
            self._rewrite_from, self._found = min(offset, self._rewrite_from or offset), None

    @property
    def is_touched(self) -> bool:
        return bool(self._waiting) or self._rewrite_from is not None

    def commit(self) -> None:
        """Make all waiting rows durable; on a failure write once more behind a cut, then give up.

        Raises:
            OSError: the part may end in anything behind `end`; it must be cut there before it is used again.
        """
        try:
            self._write()
        except OSError as error:
            repair.cut(self.path, self.end)
            self._write()
            event(log, logging.WARNING, "write failed and was written again", file=self.path, error=error)
        self.is_dirty = False
        self.end += sum(map(len, self._waiting))
        if self._rewrite_from is not None:
            self._loaded_end = self._rewrite_from
        self._waiting, self._rewrite_from, self._found = [], None, None

    def _write(self) -> None:
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            size = os.fstat(descriptor).st_size
            if size != self.end:
                raise ChangedPartError(self.path, size, self.end)
            self.is_dirty = True
            if self._rewrite_from is not None:
                if self._found is None:
                    # Once only: a failed fsync may drop what it did not make durable, and nothing is left to be read.
                    self._found = os.pread(descriptor, self._loaded_end - self._rewrite_from, self._rewrite_from)
                files.write_at(descriptor, self._found, self._rewrite_from)
            files.write_at(descriptor, b"".join(self._waiting), self.end)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
