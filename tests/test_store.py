from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import catalog as catalog_module
from pipeline import readout, store
from pipeline.catalog import Catalog
from pipeline.clock import to_ms
from pipeline.compress import compress
from pipeline.errors import BufferFullError, ClosedError, QueryError, QueueError
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.store import Store
from stages.write import Write
from tests.parts import BERLIN, NOON, TurnedClock, answer, open_shards, reading, stored

DAY = timedelta(days=1)


def make_store(folder: Path, queue: Queue, *, batch: int = 1) -> Store:
    catalog = Catalog(folder / "shards")
    read = partial(readout.read, folder / "shards", catalog)
    return Store(queue, read, zone=BERLIN, clock=TurnedClock(), batch=batch)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with closing(Queue(tmp_path / "queue" / "queue.db")) as opened:
        yield opened


def write_all(folder: Path, queue: Queue) -> None:
    quarantine = Quarantine(folder / "quarantine")
    write = Write(queue, open_shards(folder), quarantine)
    while write.step(0) == 0:
        pass


def test_added_reading_is_on_the_queue_at_once(tmp_path: Path, queue: Queue) -> None:
    added = make_store(tmp_path, queue).add(NOON, answer(5))
    assert added.day.isoformat() == "2026-01-05"
    assert added.offset_s == 3600
    assert queue.depth() == 1


def test_buffer_is_put_on_the_queue_together(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=3)
    for i in range(2):
        held.add(NOON + timedelta(seconds=i), answer(i))
    assert queue.depth() == 0
    held.add(NOON + timedelta(seconds=2), answer(2))
    assert queue.depth() == 3


def test_closing_puts_the_rest_on_the_queue_and_refuses_later_readings(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=3)
    held.add(NOON, answer(1))
    assert held.close() == 0
    assert queue.depth() == 1
    with pytest.raises(ClosedError):
        held.add(NOON, answer(2))
    assert queue.depth() == 1


def test_query_finds_readings_wherever_they_are(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=2)
    readings = []
    for i in range(7):
        readings.append(held.add(NOON + timedelta(seconds=30 * i), answer(i)))
        if i == 3:
            write_all(tmp_path, queue)
    assert (len(stored(tmp_path)), queue.depth()) == (4, 2)
    assert list(held.query(NOON, NOON + DAY)) == readings
    assert list(held.query(NOON + timedelta(seconds=30), NOON + timedelta(seconds=90))) == readings[1:3]


def test_restart_brings_back_all_that_was_flushed(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    readings = [held.add(NOON + timedelta(seconds=30 * i), answer(i)) for i in range(3)]
    queue.close()
    assert list(make_store(tmp_path, queue).query(NOON, NOON + DAY)) == readings


def test_reading_that_is_queued_and_stored_comes_once(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    readings = [held.add(NOON + timedelta(seconds=30 * i), answer(i)) for i in range(4)]
    open_shards(tmp_path).append(readings)
    assert queue.depth() == 4
    assert list(held.query(NOON, NOON + DAY)) == readings


def test_reading_that_moves_on_during_the_query_is_not_missed(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=2)
    readings = [held.add(NOON + timedelta(seconds=30 * i), answer(i)) for i in range(3)]

    def moving(start_ms: int, end_ms: int) -> Iterator[Reading]:
        # After the buffer and the queue were looked at, everything moves on to the shards.
        held.close()
        write_all(tmp_path, queue)
        return readout.read(tmp_path / "shards", Catalog(tmp_path / "shards"), start_ms, end_ms)

    held._stored = moving
    assert list(held.query(NOON, NOON + DAY)) == readings


def test_reading_that_is_written_while_the_shards_are_read_is_not_missed(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    queued = held.add(NOON, answer(1))
    real = held._stored

    def moving(start_ms: int, end_ms: int) -> Iterator[Reading]:
        yield from real(start_ms, end_ms)
        write_all(tmp_path, queue)

    held._stored = moving
    assert list(held.query(NOON, NOON + DAY)) == [queued]
    assert queue.depth() == 0


def test_reading_that_moves_onto_the_queue_during_the_query_is_not_missed(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_store(tmp_path, queue, batch=2)
    buffered = held.add(NOON, answer(1))
    real = queue.snapshot

    def moving() -> Iterator[bytes]:
        yield from real()
        held.close()

    monkeypatch.setattr(queue, "snapshot", moving)
    assert list(held.query(NOON, NOON + DAY)) == [buffered]
    assert queue.depth() == 1


def test_reading_is_found_by_its_time_whatever_day_its_part_is_named_after(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    # A day before and a day after the UTC date: where the clock was set to another zone.
    west, east = reading(0, zone=ZoneInfo("Etc/GMT+12")), reading(30, zone=ZoneInfo("Pacific/Kiritimati"))
    assert (str(west.day), str(east.day)) == ("2026-01-04", "2026-01-06")
    open_shards(tmp_path).append([west, east])
    assert list(held.query(NOON, NOON + timedelta(minutes=1))) == [west, east]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8), st.data())
@settings(max_examples=30)
def test_query_sees_what_the_writer_will_have_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("store")
    with closing(Queue(folder / "queue" / "queue.db")) as queue:
        held = make_store(folder, queue, batch=data.draw(st.integers(1, 3)))
        added = [held.add(NOON + timedelta(milliseconds=at), answer(value)) for at, value in rows]
        open_shards(folder).append(added[: data.draw(st.integers(0, len(added)))])
        before = list(held.query(NOON, NOON + DAY))
        held.close()
        write_all(folder, queue)
        after = stored(folder)
    assert sorted(r.time_ms for r in before) == [r.time_ms for r in after]
    assert {r.answer for r in before} == {r.answer for r in after}


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (NOON.replace(tzinfo=None), NOON, "without an offset"),
        (NOON, NOON.replace(tzinfo=None), "without an offset"),
        (NOON, NOON - DAY, "before the start"),
    ],
)
def test_query_that_cannot_be_meant_is_refused(
    tmp_path: Path, queue: Queue, start: datetime, end: datetime, words: str
) -> None:
    with pytest.raises(QueryError, match=words):
        make_store(tmp_path, queue).query(start, end)


@pytest.mark.parametrize(("owner", "name"), [(catalog_module, "first_line"), (readout, "open_part")])
def test_shard_compressed_in_the_middle_of_a_query_is_found_under_its_other_name(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch, owner: ModuleType, name: str
) -> None:
    held = make_store(tmp_path, queue)
    added = held.add(NOON, answer(1))
    write_all(tmp_path, queue)
    (plain,) = (tmp_path / "shards").glob("2*.csv")
    real = getattr(owner, name)

    def reading_late(path: Path) -> object:
        if plain.exists():
            compress(plain)
        return real(path)

    monkeypatch.setattr(owner, name, reading_late)
    assert list(held.query(NOON, NOON + DAY)) == [added]
    assert not plain.exists()


def test_bounds_between_two_milliseconds_count_exactly(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    added = held.add(NOON + timedelta(milliseconds=123), answer())
    inside = NOON + timedelta(microseconds=123_900)
    write_all(tmp_path, queue)
    assert list(held.query(NOON, inside)) == [added]
    assert list(held.query(inside, NOON + DAY)) == []


def test_query_over_all_time_is_answered(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    added = held.add(NOON, answer())
    write_all(tmp_path, queue)
    assert list(held.query(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))) == [added]


def test_naive_time_is_refused(tmp_path: Path, queue: Queue) -> None:
    with pytest.raises(ValueError, match="without an offset"):
        make_store(tmp_path, queue).add(NOON.replace(tzinfo=None), answer())


def test_readings_wait_in_memory_in_order_while_the_disk_takes_none(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held = make_store(tmp_path, queue)

    def full(*_: object) -> None:
        raise QueueError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "put", full)
        readings = [held.add(NOON + timedelta(seconds=30 * i), answer(i)) for i in range(store.MAX_WAITING)]
        with pytest.raises(BufferFullError):
            held.add(NOON + DAY, answer(1))
        assert held.refused == 1
        assert list(held.query(NOON, NOON + DAY)) == readings
    assert [r.message for r in caplog.records if r.levelname == "ERROR"] == [
        "queue takes no readings, they wait in memory"
    ]
    held.catch_up()
    assert queue.depth() == store.MAX_WAITING
    write_all(tmp_path, queue)
    assert stored(tmp_path) == readings


def test_what_could_not_be_saved_at_the_close_is_counted(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_store(tmp_path, queue, batch=2)
    held.add(NOON, answer())
    (tmp_path / "queue").write_text("no folder")
    assert held.close() == 1


def test_undecodable_row_of_the_queue_does_not_end_a_query(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    queue.put([b"garbage"])
    added = held.add(NOON, answer())
    assert list(held.query(NOON, NOON + DAY)) == [added]


def test_local_day_and_offset_are_those_of_the_poll_in_both_clock_changes(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    spring = [held.add(datetime(2026, 3, 29, h, 30, tzinfo=UTC), answer(h)) for h in (0, 1)]
    autumn = [held.add(datetime(2026, 10, 25, h, 30, tzinfo=UTC), answer(h)) for h in (0, 1)]
    assert [r.offset_s for r in (*spring, *autumn)] == [3600, 7200, 7200, 3600]
    write_all(tmp_path, queue)
    assert stored(tmp_path) == [*spring, *autumn]
    text = (tmp_path / "shards" / "2026-10-25.csv").read_text()
    assert text.count("2026-10-25 02:30:00") == 2


def test_poller_and_readers_share_the_store_without_losing_a_reading(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=3)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(len(list(held.query(NOON, NOON + DAY))))

    reader = threading.Thread(target=read)
    reader.start()
    write = Write(queue, open_shards(tmp_path), Quarantine(tmp_path / "quarantine"))
    for i in range(60):
        held.add(NOON + timedelta(seconds=i), answer(i))
        write.step(0)
    done.set()
    reader.join()
    assert seen == sorted(seen)
    assert len(list(held.query(NOON, NOON + DAY))) == 60


def test_two_readings_of_one_millisecond_both_come(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    first, second = held.add(NOON, answer(1)), held.add(NOON, answer(2))
    assert list(held.query(NOON, NOON + DAY)) == [first, replace(second, time_ms=second.time_ms + 1)]


def test_query_names_the_queue_that_cannot_be_read(tmp_path: Path, queue: Queue) -> None:
    (tmp_path / "queue").write_text("no folder")
    with pytest.raises(QueueError, match=r"queue\.db"):
        make_store(tmp_path, queue).query(NOON, NOON + DAY)


def test_query_of_a_narrow_window_takes_no_memory_of_a_long_backlog(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue, batch=2000)
    big = answer(1, calculations=9000)
    encoded = replace(reading(0), answer=big).encode() + bytes(2000)
    for i in range(8):
        queue.put([encoded] * 1000)
        held.add(NOON + DAY + timedelta(seconds=i), answer(i))
    tracemalloc.start()
    try:
        assert len(list(held.query(NOON + DAY, NOON + 2 * DAY))) == 8
        assert held.oldest_waiting_ms() == to_ms(NOON)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_queue_is_wholly_read_before_the_shards_are_begun(tmp_path: Path, queue: Queue) -> None:
    held = make_store(tmp_path, queue)
    queue.put([reading(i).encode() for i in range(1100)])

    def moving(start_ms: int, end_ms: int) -> Iterator[Reading]:
        write_all(tmp_path, queue)
        return readout.read(tmp_path / "shards", Catalog(tmp_path / "shards"), start_ms, end_ms)

    held._stored = moving
    assert len(list(held.query(NOON, NOON + DAY))) == 1100


def test_queue_that_fails_half_way_through_a_query_is_named(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_store(tmp_path, queue)
    queue.put([reading(i).encode() for i in range(1100)])
    rows = queue._rows

    def failing(after: int, last: int | None, replaced: int) -> list[tuple[int, object]]:
        if after:
            raise QueueError("queue.db: disk I/O error")
        return rows(after, last, replaced)

    monkeypatch.setattr(queue, "_rows", failing)
    with pytest.raises(QueueError, match="disk I/O error"):
        held.query(NOON, NOON + DAY)
    with pytest.raises(QueueError, match="disk I/O error"):
        held.oldest_waiting_ms()
