"""One daily or weekly file being made: resumed where its checkpoint says, published whole.

The sources are taken in order of time, in steps: a range that overlaps no other is one step, overlapping ones are
merged by time in one. A clean range under the file's own header is copied byte for byte; all else goes row by row, with
columns joined by name, new ones appended and missing cells empty. Of a log part the rows come that count.
"""

from __future__ import annotations

import heapq
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipeline import checkpoint, files
from pipeline.checkpoint import Checkpoint
from pipeline.errors import LoggerError, RollupSpaceError, RollupStoppedError
from pipeline.log import event
from pipeline.part import Part, open_part, path_of
from pipeline.rollup_lines import arranging, joined, split, steps, whole_lines
from pipeline.span import DirtyPartError, Source, good_lines, header_of, opened
from pipeline.window import Window

log = logging.getLogger("rollup")

#: Bytes copied at once.
_CHUNK = 1 << 20
#: Name of a file that still grows.
PART_SUFFIX = ".part"


class RollupFile:
    """The file of a window in a folder, made from ranges of the shards' parts, given in order of time; `logged` gives
    time (ms) and bytes of the rows of a log part's range.

    `reserve` bytes of the disk stay free whatever happens; `progress` is told the bytes done and in all; `stopping` is
    asked between two chunks whether to stop; `dirty` are the parts in which bad lines were met, and takes new ones.
    """

    def __init__(
        self,
        folder: Path,
        window: Window,
        sources: Sequence[Source],
        shards: Path,
        *,
        logged: Callable[[Source], Iterable[tuple[int, bytes]]],
        reserve: int,
        progress: Callable[[int, int], object] = lambda _done, _total: None,
        stopping: Callable[[], bool] = lambda: False,
        dirty: set[Part],
    ) -> None:
        self.target = folder / window.name
        self._part = self.target.with_name(window.name + PART_SUFFIX)
        self._shards = shards
        self._logged = logged
        self._reserve = reserve
        self._progress = progress
        self._stopping = stopping
        self._plan = Checkpoint(window.start_ms, window.end_ms, tuple(sources))
        self._dirty = dirty
        # A weekly has the rows of dailies: each is looked at once.
        self._thorough = window.kind == "daily" or any(each.part in dirty for each in sources)
        self._total = sum(source.end - source.start for source in sources)

    def build(self) -> Checkpoint:
        """Make the file, from where an earlier try ended if its plan still holds; gives its record.

        Raises:
            RollupSpaceError: too little space; nothing of the file stays behind.
            RollupStoppedError: `stopping` said so; the next build goes on.
            OSError, DirtyPartError: the checkpoint stays.
        """
        # The few columns of a log come last, so that live rows are copied as they are.
        columns = joined(
            [self._header(source) for source in sorted(self._plan.sources, key=lambda one: one.part.is_log)]
        )
        state = self._resumed()
        self._need(self._total - (state.length if state else 0))
        descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            # Before any checkpoint, which must not reach the disk ahead of the name of what it counts.
            files.sync_folder(self._part.parent)
            done = self._append(descriptor, state or self._begun(descriptor, columns), columns)
        except OSError as error:
            if error.errno in files.FULL:
                self._give_back()
                raise RollupSpaceError(f"{self.target}: {error.strerror}") from error
            raise
        finally:
            os.close(descriptor)
        return self._publish(done)

    def _resumed(self) -> Checkpoint | None:
        """How far an earlier try is that made the same plan and whose bytes are still there."""
        saved = checkpoint.load(self.target)
        if saved is None or saved.finished:
            return None
        if not saved.is_plan_of(self._plan):
            event(log, logging.INFO, "checkpoint thrown away, its plan no longer holds", file=self.target)
            checkpoint.throw_away(self.target)
            return None
        if not self._part.exists() or _crc(self._part, saved.length) != saved.crc:
            event(log, logging.WARNING, "checkpoint thrown away, its part file is another", file=self._part)
            checkpoint.throw_away(self.target)
            return None
        event(log, logging.INFO, "rollup resumed", file=self.target, steps=saved.steps, bytes=saved.length)
        return saved

    def _begun(self, descriptor: int, columns: list[bytes]) -> Checkpoint:
        header = b",".join(columns) + b"\n"
        os.ftruncate(descriptor, 0)
        files.write_at(descriptor, header, 0)
        os.fsync(descriptor)
        begun = replace(self._plan, length=len(header), crc=zlib.crc32(header))
        checkpoint.save(self.target, begun)
        return begun

    def _append(self, descriptor: int, state: Checkpoint, columns: list[bytes]) -> Checkpoint:
        os.ftruncate(descriptor, state.length)
        for step in steps(self._plan.sources)[state.steps :]:
            try:
                length, crc = self._write(descriptor, state, self._pieces(step, columns))
            except DirtyPartError as error:
                event(log, logging.WARNING, "bad bytes in a shard, copied line by line", step=step, error=error)
                self._dirty.update(source.part for source in step)
                length, crc = self._write(descriptor, state, self._rows(step, columns))
            os.ftruncate(descriptor, length)
            os.fsync(descriptor)
            state = state.after(length=length, crc=crc)
            checkpoint.save(self.target, state)
        return state

    def _write(self, descriptor: int, state: Checkpoint, pieces: Iterator[bytes]) -> tuple[int, int]:
        length, crc = state.length, state.crc
        for piece in pieces:
            if self._stopping():
                raise RollupStoppedError(f"{self.target} is not finished", hint="it goes on at the next start")
            self._need(len(piece))
            files.write_at(descriptor, piece, length)
            files.start_writeback(descriptor, length, len(piece))
            length, crc = length + len(piece), zlib.crc32(piece, crc)
            self._progress(length, self._total)
        return length, crc

    def _pieces(self, step: Sequence[Source], columns: list[bytes]) -> Iterator[bytes]:
        if len(step) == 1 and step[0].clean and split(self._header(step[0])) == columns:
            return self._copied(step[0])
        return self._rows(step, columns)

    def _copied(self, source: Source) -> Iterator[bytes]:
        with opened(self._path(source.part)) as content:
            columns, offset = len(split(header_of(content))), source.start
            while offset < source.end:
                lines = whole_lines(content.at(offset, min(_CHUNK, source.end - offset)), columns, self._thorough)
                yield lines
                offset += len(lines)

    def _rows(self, step: Sequence[Source], columns: list[bytes]) -> Iterator[bytes]:
        """The rows of overlapping ranges merged by time, gathered to chunks."""
        waiting: list[bytes] = []
        size = 0
        for _, _, row in heapq.merge(*(self._rows_of(i, source, columns) for i, source in enumerate(step))):
            waiting.append(row)
            size += len(row)
            if size >= _CHUNK:
                yield b"".join(waiting)
                waiting, size = [], 0
        yield b"".join(waiting)

    def _rows_of(self, rank: int, source: Source, columns: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
        path = self._path(source.part)
        header = self._header(source)
        arrange = arranging(split(header), columns)
        if source.part.is_log:
            yield from ((time_ms, rank, arrange(row)) for time_ms, row in self._logged(source))
            return
        with open_part(path) as file:
            for line in good_lines(path, header):
                if source.start <= line.offset < source.end:
                    file.seek(line.offset)
                    yield line.time_ms, rank, arrange(file.read(line.length))

    def _header(self, source: Source) -> bytes:
        with opened(self._path(source.part)) as content:
            return header_of(content)

    def _path(self, part: Part) -> Path:
        if path := path_of(self._shards, part):
            return path
        raise LoggerError(f"{self.target}: {part.name} went while the file was made from it")

    def _need(self, n_bytes: int) -> None:
        free = shutil.disk_usage(self._part.parent).free
        if free - n_bytes < self._reserve:
            self._give_back()
            hint = f"{free} bytes are free, {n_bytes} are needed and {self._reserve} stay free for the readings"
            raise RollupSpaceError(f"{self.target}: too little space", hint=hint)

    def _give_back(self) -> None:
        self._part.unlink(missing_ok=True)
        checkpoint.remove(self.target)

    def _publish(self, done: Checkpoint) -> Checkpoint:
        self._part.replace(self.target)
        files.sync_folder(self.target.parent)
        with suppress(FileNotFoundError):
            self.target.with_name(self.target.name + ".gz").unlink()
        record = replace(done, finished=True)
        checkpoint.save(self.target, record)
        return record


def _crc(path: Path, length: int) -> int | None:
    """The CRC-32 of a file's first bytes; None where it is shorter."""
    crc, left = 0, length
    with path.open("rb") as file:
        while left and (piece := file.read(min(_CHUNK, left))):
            crc, left = zlib.crc32(piece, crc), left - len(piece)
    return None if left else crc
