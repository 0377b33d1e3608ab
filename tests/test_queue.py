from __future__ import annotations

import errno
import gc
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline import salvage
from pipeline.errors import DamagedQueueError, QueueError
from pipeline.library_queue import TABLE
from pipeline.queue import Queue
from tests.parts import reading
from tests.small_disk import fill, small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue" / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[Queue]:
    with closing(Queue(path)) as opened:
        yield opened


def test_readings_come_in_the_order_they_were_put(queue: Queue) -> None:
    queue.put([b"a", b"b"])
    queue.put([b"c"])
    assert queue.get(2) == [b"a", b"b"]
    assert queue.get(2) == [b"c"]
    assert queue.get(2) == []


def test_depth_counts_what_was_got_but_not_acknowledged(queue: Queue) -> None:
    queue.put([b"a", b"b"])
    queue.get(1)
    assert queue.depth() == 2
    queue.acknowledge()
    assert queue.depth() == 1
    assert list(queue.snapshot()) == [b"b"]


def test_failed_batch_is_given_again_and_not_deleted_by_a_later_acknowledgement(queue: Queue) -> None:
    queue.put([b"a", b"b", b"c"])
    assert queue.get(2) == [b"a", b"b"]
    queue.rewind()
    assert queue.get(1) == [b"a"]
    queue.acknowledge()
    assert queue.get(5) == [b"b", b"c"]


def test_rewind_after_everything_was_acknowledged_gives_only_what_is_new(queue: Queue) -> None:
    queue.put([b"a"])
    queue.get(1)
    queue.acknowledge()
    queue.rewind()
    queue.put([b"b"])
    assert queue.get(5) == [b"b"]


def test_what_was_not_acknowledged_is_there_after_a_restart(path: Path) -> None:
    with closing(Queue(path)) as queue:
        queue.put([b"a", b"b"])
        queue.get(1)
        queue.acknowledge()
        queue.get(1)
    with closing(Queue(path)) as queue:
        assert queue.get(5) == [b"b"]


def test_every_commit_of_the_writing_connection_is_fsynced(queue: Queue) -> None:
    queue.put([b"a"])
    assert queue._open is not None
    writing = queue._open._putter
    assert writing.execute("PRAGMA synchronous").fetchone() == (2,)
    assert writing.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_put_survives_a_kill_at_once(path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from pipeline.queue import Queue\n"
        "Queue(Path(sys.argv[1])).put([b'a', b'b']); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=9)
    with closing(Queue(path)) as queue:
        assert queue.get(5) == [b"a", b"b"]


def test_batch_is_put_whole_or_not_at_all(queue: Queue) -> None:
    with pytest.raises(QueueError):
        queue.put([b"a", object()])  # type: ignore[list-item]
    assert queue.depth() == 0


def test_wait_ends_when_a_reading_arrives(queue: Queue) -> None:
    queue.put([b"a"])
    queue.wait(9)
    queue.wake()
    queue.wait(9)


def test_row_that_holds_no_bytes_is_given_as_bytes(queue: Queue, path: Path) -> None:
    queue.put([b"a"])
    with closing(sqlite3.connect(path)) as other:
        other.executemany(f"INSERT INTO {TABLE} (data) VALUES (?)", [("text",), (None,), (7,)])
        other.commit()
    assert queue.get(9) == [b"a", b"'text'", b"None", b"7"]


def test_place_that_cannot_be_written_is_a_queue_error_and_works_when_it_can_be(tmp_path: Path) -> None:
    (tmp_path / "queue").write_text("a file where the folder should be")
    with closing(Queue(tmp_path / "queue" / "queue.db")) as queue:
        with pytest.raises(QueueError):
            queue.put([b"a"])
        (tmp_path / "queue").unlink()
        queue.put([b"a"])
        assert queue.get(5) == [b"a"]


def test_failure_to_open_leaves_no_file_open(tmp_path: Path) -> None:
    gc.disable()
    try:
        with small_disk(tmp_path / "full", "1m") as disk, closing(Queue(disk / "queue.db")) as queue:
            for room in (0, 20_000, 40_000, 70_000):
                fill(disk / "ballast")
                os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - room)
                for _ in range(5):
                    with pytest.raises(QueueError):
                        queue.put([bytes(100_000)])
                queue.close()
                assert not _open_below(disk)
    finally:
        gc.enable()


def _open_below(folder: Path) -> list[str]:
    """Files of this process that are open below a folder."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [str(path) for link in links if (path := link.readlink()).is_relative_to(folder)]


def _fill(path: Path, n: int) -> list[bytes]:
    rows = [b"%05d" % i * 400 for i in range(n)]
    with closing(Queue(path)) as queue:
        queue.put(rows)
    return rows


def test_garbage_in_place_of_the_database_is_moved_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.put([b"a"])
        queue.put([b"a"])
        assert queue.get(5) == [b"a"]
    assert [p.read_bytes() for p in path.parent.glob("queue.db.damaged-*")] == [b"garbage" * 1000]


def test_readable_rows_of_a_damaged_database_are_taken_over(path: Path) -> None:
    rows = _fill(path, 60)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(random.Random(1).randbytes(4096))
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.get(99)
        got = queue.get(99)
    assert 40 <= len(got) < 60
    assert [row for row in rows if row in got] == got


def test_garbage_that_was_moved_aside_is_not_held_open(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.put([b"a"])
        queue.put([b"a"])
        assert {name.removesuffix("-wal").removesuffix("-shm") for name in _open_below(path.parent)} == {str(path)}
    assert not _open_below(path.parent)


def test_truncated_database_gives_what_is_left(path: Path) -> None:
    rows = _fill(path, 60)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.get(99)
        got = queue.get(99)
    assert got
    assert set(got) < set(rows)


@pytest.mark.parametrize("left", ["missing", "empty"])
def test_log_beside_a_missing_or_empty_database_is_kept(path: Path, left: str) -> None:
    path.parent.mkdir()
    wal = path.with_name("queue.db-wal")
    wal.write_bytes(b"w" * 5000)
    if left == "empty":
        path.touch()
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.depth()
        assert queue.depth() == 0
    assert [p.read_bytes() for p in path.parent.glob("queue.db.*-wal")] == [b"w" * 5000]


def test_take_over_that_a_crash_ended_half_way_is_continued(path: Path) -> None:
    rows = _fill(path, 3)
    path.rename(path.with_name("queue.db.salvage"))
    with closing(Queue(path)) as queue:
        assert queue.get(9) == rows
    assert not path.with_name("queue.db.salvage").exists()


def test_file_of_an_empty_queue_is_given_back_to_the_disk(path: Path) -> None:
    with closing(Queue(path)) as queue:
        queue.put([bytes(20_000)] * 600)
        queue.get(600)
        queue.acknowledge()
    assert path.stat().st_size > 8_000_000
    with closing(Queue(path)) as queue:
        assert queue.depth() == 0
    assert path.stat().st_size < 100_000


def _readings(first: int, n: int) -> list[bytes]:
    return [reading(30 * i).encode() for i in range(first, first + n)]


def _got_after_damage(path: Path) -> list[bytes]:
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.get(999)
        return queue.get(999)


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("column", [b"timestamp FLOAT", b"data BLOB", b"_id INTEGER"])
def test_damaged_name_of_a_column_costs_no_reading(path: Path, column: bytes) -> None:
    rows = _readings(0, 30)
    with closing(Queue(path)) as queue:
        queue.put(rows)
    _flip(path, path.read_bytes().index(column))
    assert _got_after_damage(path) == rows


def test_whole_readings_are_carved_out_where_the_first_page_is_damaged(path: Path) -> None:
    rows = _readings(0, 300)
    with closing(Queue(path)) as queue:
        queue.put(rows[150:])
        queue.put(rows[:150])
    _flip(path, 0)
    assert _got_after_damage(path) == rows


def _told_of_take_over(path: Path, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    with caplog.at_level("WARNING"):
        _got_after_damage(path)
    (record,) = (each for each in caplog.records if each.getMessage() == "readings of a damaged queue taken over")
    facts: dict[str, Any] = record.__dict__["facts"]
    return facts


def _queue_with(path: Path, acknowledged: int, waiting: int) -> list[bytes]:
    rows = _readings(0, acknowledged + waiting)
    with closing(Queue(path)) as queue:
        queue.put(rows[:acknowledged])
        queue.get(acknowledged)
        queue.acknowledge()
        queue.put(rows[acknowledged:])
    return rows[acknowledged:]


@pytest.mark.parametrize("acknowledged", [0, 7, 150])
@pytest.mark.parametrize("lost_pages", [(0,), (1,), (0, -1), (-1,)])
def test_readings_that_a_damaged_queue_lost_are_counted_exactly(
    path: Path, acknowledged: int, lost_pages: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    waiting = _queue_with(path, acknowledged, 60)
    content = path.read_bytes()
    leaves = sorted({content.index(row) // 4096 for row in waiting})
    with path.open("r+b") as file:
        for page in lost_pages:
            file.seek(leaves[page] * 4096)
            file.write(bytes(4096))
    facts = _told_of_take_over(path, caplog)
    with closing(Queue(path)) as queue:
        left = set(queue.get(999))
    assert facts["unreadable"] == sum(row not in left for row in waiting) > 0


def test_number_of_lost_readings_is_unknown_where_nothing_of_the_database_is_left(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _queue_with(path, 7, 60)
    path.write_bytes(bytes(path.stat().st_size))
    assert _told_of_take_over(path, caplog)["unreadable"] == "unknown"


def test_whole_copy_of_a_row_that_is_no_reading_any_more_takes_its_place(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = _queue_with(path, 3, 20)
    content = path.read_bytes()
    at = content.index(waiting[5])
    # A page that nobody uses any more still has the row as it was.
    page = (at // 4096) * 4096
    path.write_bytes(content + content[page : page + 4096])
    _flip(path, at + 40)
    _flip(path, path.read_bytes().index(b"timestamp FLOAT"))
    assert _told_of_take_over(path, caplog) | {"kept": 0} == {"taken_over": 20, "carved": 1, "unreadable": 0, "kept": 0}
    with closing(Queue(path)) as queue:
        assert set(queue.get(99)) == set(waiting)


def test_start_on_a_queue_tells_its_header_what_was_acknowledged(path: Path) -> None:
    _queue_with(path, 7, 60)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    with closing(Queue(path)) as queue:
        queue.depth()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (7,)


def test_readings_are_carved_over_the_borders_of_chunks_each_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.salvage._CHUNK", 5000)
    rows = _readings(0, 300)
    with closing(Queue(path)) as queue:
        queue.put(rows)
    _flip(path, 0)
    assert _got_after_damage(path) == rows


def test_page_that_the_disk_cannot_read_is_passed_over_in_carving(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _readings(0, 300)
    with closing(Queue(path)) as queue:
        queue.put(rows)
    _flip(path, 0)
    read = os.pread

    def failing(raw: int, size: int, at: int) -> bytes:
        if at <= 20_480 < at + size:
            raise OSError(errno.EIO, "Input/output error")
        return read(raw, size, at)

    monkeypatch.setattr(os, "pread", failing)
    got = _got_after_damage(path)
    assert 250 < len(got) < 300
    assert [row for row in rows if row in got] == got


def _orphan(path: Path, rows: list[bytes]) -> None:
    """Leave only the log of a queue at a path, as if a power cut took the name of its database."""
    other = path.parent.parent / "other" / path.name
    with closing(Queue(other)) as queue:
        queue.put(rows)
        path.parent.mkdir(exist_ok=True)
        shutil.copy(f"{other}-wal", f"{path}-wal")


def test_readings_in_a_log_without_its_database_are_taken_over(path: Path) -> None:
    rows = _readings(0, 20)
    _orphan(path, rows)
    assert _got_after_damage(path) == rows
    assert not list(path.parent.glob("*.salvage*"))


def test_log_without_its_database_is_never_read_with_the_next_one(path: Path) -> None:
    foreign, rows = _readings(0, 20), _readings(100, 200)
    _orphan(path, foreign)
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.depth()
        assert queue.get(99) == foreign
        queue.acknowledge()
        queue.put(rows)
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 8)
    got = _got_after_damage(path)
    assert set(rows) - set(got) == set()
    assert len([log for log in path.parent.glob("queue.db.damaged-*-wal") if log.stat().st_size]) == 1


def test_queue_damaged_again_before_the_first_was_read_displaces_nothing(path: Path) -> None:
    first, second = _readings(0, 20), _readings(100, 20)
    with closing(Queue(path)) as queue:
        queue.put(first)
    shutil.copy(path, path.with_name("first"))
    path.unlink()
    with closing(Queue(path)) as queue:
        queue.put(second)
    salvage.move_aside(path, "1")
    path.with_name("first").rename(path)
    salvage.move_aside(path, "2")
    _orphan(path, _readings(200, 5))
    assert sorted(_got_after_damage(path)) == sorted(first + second + _readings(200, 5))
    assert {"queue.db.damaged-1", "queue.db.damaged-2"} < {file.name for file in path.parent.iterdir()}


@pytest.mark.parametrize("renames", range(6))
def test_crash_between_any_two_renames_is_continued(path: Path, renames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _readings(0, 40)
    other = path.parent.parent / "other" / path.name
    with closing(Queue(other)) as queue:
        queue.put(rows[:-1])
    with closing(Queue(other)) as queue:
        queue.put(rows[-1:])  # in the log alone, and without the first page
        shutil.copytree(other.parent, path.parent)
    _flip(path, 0)
    rename, done = Path.rename, 0

    def crashing(source: Path, target: Path) -> Path:
        nonlocal done
        done += 1
        if done > renames:
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch, closing(Queue(path)) as queue:
        patch.setattr(Path, "rename", crashing)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            with pytest.raises(DamagedQueueError):
                queue.get(99)
            queue.get(99)
    with closing(Queue(path)) as queue:
        with suppress(DamagedQueueError):
            queue.depth()
        assert set(queue.get(999)) == set(rows)
    names = {file.name.removesuffix("-wal").removesuffix("-shm") for file in path.parent.glob("queue.db.*")}
    assert len(names) == 1
    assert names.pop().startswith("queue.db.damaged-")


def test_put_does_not_wait_long_for_another_program(path: Path, queue: Queue) -> None:
    queue.put([b"a"])
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(QueueError, match="locked"):
            queue.put([b"b"])
        assert time.monotonic() - began < 3
    queue.put([b"b"])
    assert queue.get(9) == [b"a", b"b"]


def test_snapshot_gives_what_was_there_at_its_start_and_lets_others_work(queue: Queue) -> None:
    rows = [b"%d" % i for i in range(1200)]
    queue.put(rows)
    seen = queue.snapshot()
    first = next(seen)
    queue.put([b"later"])
    with ThreadPoolExecutor(1) as other:
        assert other.submit(queue.depth).result(timeout=5) == 1201
    assert [first, *seen] == rows


def test_snapshot_passes_over_what_is_acknowledged_meanwhile(queue: Queue) -> None:
    queue.put([b"%d" % i for i in range(1200)])
    seen = queue.snapshot()
    next(seen)
    queue.get(1100)
    queue.acknowledge()
    assert list(seen)[-100:] == [b"%d" % i for i in range(1100, 1200)]


def test_snapshot_of_a_queue_that_was_replaced_meanwhile_is_a_queue_error(path: Path, queue: Queue) -> None:
    queue.put(_readings(0, 1200))
    seen = queue.snapshot()
    next(seen)
    queue.close()
    _flip(path, 0)
    with pytest.raises(DamagedQueueError):
        queue.depth()
    assert queue.depth() == 1200
    with pytest.raises(QueueError, match="replaced"):
        list(seen)


def test_snapshot_holds_no_more_than_a_chunk_in_memory(queue: Queue) -> None:
    for _ in range(20):
        queue.put([bytes(5000)] * 500)
    tracemalloc.start()
    try:
        assert sum(1 for _ in queue.snapshot()) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
