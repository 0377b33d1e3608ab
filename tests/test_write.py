"""Rules 1 and 2 of the store: acknowledge last, and quarantine what is no reading."""

from __future__ import annotations

import errno
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pipeline import appender, catalog, files, quarantine, queue, rows, schema, shard
from pipeline.errors import LoggerError
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.store import Store
from stages import write as write_stage
from stages.write import Write
from tests.parts import BERLIN, NOON, TurnedClock, open_shards, reading, stored

TraceFunction = Callable[[FrameType, str, Any], Any]
#: Where our own code lies; lines of libraries are not counted.
SOURCES = tuple(str(Path(__file__).parents[1] / name) for name in ("pipeline", "stages"))


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Queue]:
    with closing(Queue(tmp_path / "queue" / "queue.db")) as opened:
        yield opened


def writer(folder: Path, waiting: Queue) -> Write:
    return Write(waiting, open_shards(folder), Quarantine(folder / "quarantine"))


def put(waiting: Queue, readings: list[Reading]) -> None:
    waiting.put([one.encode() for one in readings])


def test_batch_is_stored_and_acknowledged(tmp_path: Path, waiting: Queue) -> None:
    put(waiting, [reading(0), reading(30)])
    write = writer(tmp_path, waiting)
    assert write.step(0) == 0
    assert write.step(0) > 0
    assert (stored(tmp_path), waiting.depth()) == ([reading(0), reading(30)], 0)


def test_reading_stays_queued_until_its_line_is_on_disk(
    tmp_path: Path, waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(waiting, [reading(0)])
    write = writer(tmp_path, waiting)
    depths: list[int] = []
    real = os.fsync

    def syncing(descriptor: int) -> None:
        depths.append(waiting.depth())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", syncing)
    write.step(0)
    assert set(depths) == {1}
    assert waiting.depth() == 0


#: Every function of ours that runs between get and acknowledgement, where an exception is raised in turn.
STATEMENTS = [
    (write_stage, "decode"),
    (shard, "list_parts"),
    (files, "make_folder"),
    (files, "sync_folder"),
    (files, "publish"),
    (files, "write_at"),
    (catalog, "list_all"),
    (schema.Schema, "of"),
    (rows.RowWriter, "line"),
    (appender.Appender, "stage"),
    (appender.Appender, "commit"),
    (shard.Shards, "append"),
    (shard.OpenDay, "place"),
    (queue.Queue, "acknowledge"),
    (os, "pwrite"),
    (os, "fsync"),
]


@pytest.mark.parametrize(("owner", "name"), STATEMENTS, ids=lambda x: x if isinstance(x, str) else x.__name__)
@pytest.mark.parametrize("error", [OSError(errno.EIO, "injected"), MemoryError("injected"), KeyboardInterrupt()])
def test_exception_anywhere_between_get_and_acknowledgement_loses_and_doubles_nothing(
    tmp_path: Path, waiting: Queue, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: BaseException
) -> None:
    put(waiting, [reading(-30)])
    write = writer(tmp_path, waiting)
    write.step(0)
    readings = [reading(12 * 3600 + 30 * i) for i in range(-2, 2)]
    put(waiting, readings)
    for nth in range(4):
        with monkeypatch.context() as patch:
            _raise_at(patch, owner, name, nth, error)
            with suppress(type(error)):
                write.step(0)
        put(waiting, [reading(90_000 + nth)])
        readings.append(reading(90_000 + nth))
    while write.step(0) == 0:
        pass
    assert stored(tmp_path) == [reading(-30), *readings]
    assert not (tmp_path / "quarantine").exists()
    assert waiting.depth() == 0


def test_exception_at_every_statement_between_get_and_acknowledgement_loses_and_doubles_nothing(
    tmp_path: Path, waiting: Queue
) -> None:
    write = writer(tmp_path, waiting)
    readings: list[Reading] = []
    raised, nth = True, 0
    while raised:
        # Two readings over a change of firmware, so that parts begin and share a batch now and then.
        batch = [reading(30 * (2 * nth + i), letters=f"V{nth % 3}.1") for i in (0, 1)]
        put(waiting, batch)
        readings += batch
        raised = _raises_at_line(lambda: write.step(0), nth)
        if nth % 7 == 0:
            write.step(0)
        nth += 1
    while write.step(0) == 0:
        pass
    assert nth > 200
    assert stored(tmp_path) == readings
    assert not (tmp_path / "quarantine").exists()


def _raises_at_line(step: Callable[[], object], nth: int) -> bool:
    """Run a step and raise before the nth line of our own code in it; whether it came so far."""
    left, before = [nth], sys.gettrace()

    def tracing(frame: FrameType, kind: str, _: object) -> TraceFunction | None:
        if not frame.f_code.co_filename.startswith(SOURCES):
            return None
        # Leaving a `with` comes by its line again; raised there, an exception would skip the leaving itself. So it
        # would at a `try` that follows a `with`: nothing can fail there.
        if kind == "line" and not _source_line(frame).startswith(("with ", "try:")):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(errno.ENOSPC, "injected")
        return tracing

    sys.settrace(tracing)
    try:
        with suppress(OSError, LoggerError):
            step()
    finally:
        sys.settrace(before)
    return left[0] < 0


def _source_line(frame: FrameType) -> str:
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()


def _raise_at(patch: pytest.MonkeyPatch, owner: object, name: str, nth: int, error: BaseException) -> None:
    real, calls = getattr(owner, name), [0]

    def raising(*arguments: object, **keywords: object) -> object:
        calls[0] += 1
        if calls[0] == nth + 1:
            raise error
        return real(*arguments, **keywords)

    patch.setattr(owner, name, raising)


def test_row_that_cannot_be_decoded_is_quarantined_byte_for_byte_before_its_batch_is_acknowledged(
    tmp_path: Path, waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = bytearray(reading(30).encode())
    damaged[20] ^= 1
    waiting.put([reading(0).encode(), bytes(damaged), reading(60).encode()])
    write = writer(tmp_path, waiting)
    depths: list[int] = []
    real = quarantine.Quarantine.keep

    def keeping(self: Quarantine, origin: str, data: bytes) -> Path:
        kept = real(self, origin, data)
        depths.append(waiting.depth())
        return kept

    monkeypatch.setattr(quarantine.Quarantine, "keep", keeping)
    write.step(0)
    assert depths == [3]
    assert [p.read_bytes() for p in (tmp_path / "quarantine").iterdir()] == [bytes(damaged)]
    assert stored(tmp_path) == [reading(0), reading(60)]
    assert (write.stored, write.quarantined) == (2, 1)


def test_quarantine_that_cannot_be_written_keeps_the_row_queued(tmp_path: Path, waiting: Queue) -> None:
    waiting.put([b"garbage"])
    (tmp_path / "quarantine").write_text("a file where the folder should be")
    write = writer(tmp_path, waiting)
    with pytest.raises(OSError, match="quarantine"):
        write.step(0)
    assert waiting.depth() == 1


def test_reading_that_alone_has_no_line_is_quarantined_and_the_rest_of_its_batch_stored(
    tmp_path: Path, waiting: Queue
) -> None:
    impossible = replace(reading(30), time_ms=2**60)
    put(waiting, [reading(0), impossible, reading(60)])
    write = writer(tmp_path, waiting)
    write.step(0)
    assert stored(tmp_path) == [reading(0), reading(60)]
    assert [p.read_bytes() for p in (tmp_path / "quarantine").iterdir()] == [impossible.encode()]
    assert (write.stored, write.quarantined, waiting.depth()) == (2, 1, 0)


def test_same_damaged_row_redelivered_is_kept_once(tmp_path: Path, waiting: Queue) -> None:
    for _ in range(2):
        waiting.put([b"garbage"])
        writer(tmp_path, waiting).step(0)
    assert quarantine.count(tmp_path / "quarantine", quarantine.FROM_QUEUE) == 1


def test_disk_that_takes_no_rows_sends_none_into_quarantine(
    tmp_path: Path, waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "injected")

    put(waiting, [reading(0), reading(30)])
    write = writer(tmp_path, waiting)
    with monkeypatch.context() as patch:
        patch.setattr(appender.Appender, "commit", full)
        with pytest.raises(OSError, match="injected"):
            write.step(0)
    assert waiting.depth() == 2
    assert not (tmp_path / "quarantine").exists()
    write.step(0)
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_readings_that_waited_in_memory_are_stored_without_a_further_poll(tmp_path: Path, waiting: Queue) -> None:
    waiting.path.parent.write_text("a file where the folder should be")
    held = Store(waiting, lambda *_: iter(()), zone=BERLIN, clock=TurnedClock())
    taken = held.add(NOON, reading(0).answer)
    assert held.waiting == 1
    waiting.path.parent.unlink()
    write = Write(waiting, open_shards(tmp_path), Quarantine(tmp_path / "quarantine"), held.catch_up)
    while write.step(0) == 0:
        pass
    assert (stored(tmp_path), held.waiting) == ([taken], 0)
