from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import DamagedQueueError, QueueError
from pipeline.queue import TABLE, Queue


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
    assert queue.snapshot() == [b"b"]


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
        file.write(os.urandom(4096))
    with closing(Queue(path)) as queue:
        with pytest.raises(DamagedQueueError):
            queue.get(99)
        got = queue.get(99)
    assert 40 <= len(got) < 60
    assert [row for row in rows if row in got] == got


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
