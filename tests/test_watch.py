"""The watch on a real store, queue, shards and gap book, stepped by hand."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline import gap_book, quarantine, readout, state
from pipeline.catalog import Catalog
from pipeline.clock import to_ms, utc_text
from pipeline.gap import CLOCK, DISK, LOGGER_OFF, PUMP_SILENT, Gap
from pipeline.gap_book import GapBook
from pipeline.gap_watch import GapWatch
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.store import Store
from stages.watch import Watch
from stages.write import Write
from tests.parts import BERLIN, NOON, TurnedClock, answer, open_shards


class Run:
    """One run of the logger on a folder: a slot every 30 s, by default with a reading that is written at once."""

    def __init__(self, folder: Path, clock: TurnedClock) -> None:
        self.clock = clock
        self.queue = Queue(folder / "queue" / "queue.db")
        self.gaps = GapWatch(30)
        kept = Quarantine(folder / "quarantine")
        shards = folder / "shards"
        self.store = Store(self.queue, partial(readout.read, shards, Catalog(shards)), zone=BERLIN, clock=clock)
        self.write = Write(self.queue, open_shards(folder), kept)
        self.silent: dict[str, float] = {}
        self.book = GapBook(folder / gap_book.NAME, kept.keep)
        self.watch = Watch(
            folder,
            self.store,
            self.gaps,
            self.book,
            interval_s=30,
            zone=BERLIN,
            clock=clock,
            times=partial(readout.times, shards),
            takeovers=lambda: self.queue.takeovers,
            silent=lambda _now: self.silent,
            quarantined=partial(quarantine.lost, kept.folder),
            facts=lambda: {"queue": {"oldest": self._oldest()}},
        )

    def _oldest(self) -> str | None:
        oldest = self.store.oldest_waiting_ms()
        return utc_text(oldest) if oldest is not None else None

    def slot(self, *, missing: str = "", written: bool = True) -> None:
        now = self.clock.utc()
        if missing:
            self.gaps.missed(to_ms(now), self.clock.monotonic(), 1, missing)
        else:
            self.store.add(now, answer(to_ms(now) % 1_000_000))
            self.gaps.stored(to_ms(now), self.clock.monotonic())
        if written:
            while self.write.step(0) == 0:
                pass
        self.look()
        self.clock.turn(30)

    def look(self) -> dict[str, Any]:
        self.watch.step(self.clock.monotonic())
        return self.told()

    def told(self) -> dict[str, Any]:
        found = state.load(self.watch._folder)
        assert found
        return found

    def end(self) -> None:
        self.store.close()
        self.watch.close()
        self.queue.close()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def run(tmp_path: Path, clock: TurnedClock) -> Iterator[Run]:
    found = Run(tmp_path, clock)
    yield found
    found.queue.close()


def begin(run: Run, folder: Path) -> Run:
    """The next run on the same folder."""
    return Run(folder, run.clock)


def book(folder: Path) -> list[Gap]:
    return list(gap_book.read(folder / "gaps.csv"))


def gap(from_s: float, to_s: float, missing: int, reason: str) -> Gap:
    start = to_ms(NOON)
    return Gap(start + round(from_s * 1000), start + round(to_s * 1000), missing, missing, reason)


def test_all_is_well_while_readings_come(run: Run, tmp_path: Path) -> None:
    for _ in range(3):
        run.slot()
    told = run.look()
    assert (told["status"], told["reasons"]) == ("ok", [])
    assert told["last_reading"] == "2026-01-05T11:01:00.000Z"
    assert told["gaps"] == {"today": 0, "today_filled": 0, "open": None, "reasons": {}, "last": None}
    assert told["losses"] == {"disk": 0, "quarantined": 0}
    assert book(tmp_path) == []


def test_gap_of_the_pump_is_open_then_in_the_book(run: Run, tmp_path: Path) -> None:
    run.slot()
    run.slot(missing=PUMP_SILENT)
    run.slot(missing=PUMP_SILENT)
    told = run.told()["gaps"]
    assert (told["today"], told["open"]["missing"], told["open"]["reason"]) == (2, 2, "pump_silent")
    run.slot()
    assert book(tmp_path) == [gap(0, 90, 2, PUMP_SILENT)]
    told = run.told()["gaps"]
    assert (told["today"], told["open"], told["last"]) == (2, None, gap(0, 90, 2, PUMP_SILENT).document())


def test_gaps_of_today_are_no_more_of_today_tomorrow(run: Run) -> None:
    run.slot()
    run.slot(missing=PUMP_SILENT)
    run.slot()
    run.clock.turn(86_400)
    assert run.look()["gaps"]["today"] == 0


def test_gap_over_midnight_is_shared_between_its_days(run: Run) -> None:
    run.clock.turn(12 * 3600 - 60)  # one minute before midnight in Berlin
    run.slot()
    for _ in range(9):
        run.slot(missing=PUMP_SILENT)
    assert run.told()["gaps"]["today"] == 7
    run.slot()
    assert run.told()["gaps"]["today"] == 7


def test_what_was_filled_of_the_gaps_of_today_is_told_as_soon_as_it_is(run: Run) -> None:
    run.clock.turn(12 * 3600 - 60)
    run.slot()
    for _ in range(9):
        run.slot(missing=PUMP_SILENT)
    run.slot()
    assert (run.told()["gaps"]["today"], run.told()["gaps"]["today_filled"]) == (7, 0)
    run.book.refill(lambda gap: replace(gap, filled=5, source="log"))
    assert (run.look()["gaps"]["today"], run.told()["gaps"]["today_filled"]) == (7, 4)
    run.slot(missing=PUMP_SILENT)
    run.slot()
    assert (run.told()["gaps"]["today"], run.told()["gaps"]["today_filled"]) == (8, 4)


def test_second_restart_before_the_first_slot_keeps_the_gap_of_the_pump(run: Run, tmp_path: Path) -> None:
    run.slot()
    for _ in range(4):
        run.slot(missing=PUMP_SILENT)
    for _ in range(3):
        run = begin(run, tmp_path)
        run.look()
    run.slot()
    assert book(tmp_path)[0] == gap(0, 120, 4, PUMP_SILENT)


def test_clock_that_begins_behind_the_last_run_jumps_over_what_is_missing_only(run: Run, tmp_path: Path) -> None:
    for _ in range(10):
        run.slot()
    run.end()
    run.clock.step(-200_000_000)
    run = begin(run, tmp_path)
    run.slot(missing=PUMP_SILENT)
    run.slot()
    run.clock.step(200_000_000 + 600)
    run.slot()
    run.slot()
    assert book(tmp_path)[-1] == gap(270, 960, 22, CLOCK)


def test_gap_that_a_failed_write_left_is_added_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.slot()
    run.slot(missing=PUMP_SILENT)
    run.slot(missing=PUMP_SILENT)
    run = begin(run, tmp_path)
    run.clock.turn(600)
    with monkeypatch.context() as patch:
        fsync = os.fsync

        def failing(descriptor: int) -> None:
            if Path(f"/proc/self/fd/{descriptor}").readlink().name == "gaps.csv":
                raise OSError(errno.EIO, "injected")
            fsync(descriptor)

        patch.setattr(os, "fsync", failing)
        run.slot()
    run.slot()
    expected = [gap(0, 60, 2, PUMP_SILENT), gap(60, 690, 20, LOGGER_OFF)]
    assert (book(tmp_path), run.told()["gaps"]["today"]) == (expected, 22)


def test_lost_book_of_a_sound_run_is_found_again_in_the_shards(run: Run, tmp_path: Path) -> None:
    run.slot()
    run.clock.turn(600)
    for _ in range(5):
        run.slot()
    run.end()
    (tmp_path / "gaps.csv").unlink()
    run = begin(run, tmp_path)
    run.slot()
    assert book(tmp_path) == [gap(0, 630, 20, LOGGER_OFF)]


def test_part_that_cannot_be_read_keeps_no_gap_from_the_book(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run.slot()
    run = begin(run, tmp_path)

    def unreadable(_path: Path) -> None:
        raise OSError(errno.EIO, "injected")

    monkeypatch.setattr(readout, "open_part", unreadable)
    run.slot()
    run.slot(missing=PUMP_SILENT)
    run.slot()
    assert book(tmp_path)[-1].reason == PUMP_SILENT
    assert "part passed over" in [record.message for record in caplog.records]


def test_batch_that_waits_in_memory_is_not_too_old(run: Run) -> None:
    run.slot()
    run.watch._batch = 10
    run.clock.turn(300)
    assert run.look()["status"] == "ok"
    run.clock.turn(100)
    assert run.look()["status"] == "failing"


def test_time_without_the_logger_is_a_gap_after_a_stop(run: Run, tmp_path: Path) -> None:
    run.slot()
    run.end()
    run.clock.turn(600)
    begin(run, tmp_path).slot()
    assert book(tmp_path) == [gap(0, 630, 20, LOGGER_OFF)]


def test_time_without_the_logger_is_a_gap_after_a_kill_and_told_once(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run.slot()
    run.clock.turn(600)
    for _ in range(3):
        begin(run, tmp_path).slot()
    assert book(tmp_path) == [gap(0, 630, 20, LOGGER_OFF)]
    assert [record.message for record in caplog.records] == ["gap found"]


def test_gap_that_was_open_at_a_kill_keeps_its_reason_behind_it(run: Run, tmp_path: Path) -> None:
    run.slot()
    run.slot(missing=PUMP_SILENT)
    run.slot(missing=PUMP_SILENT)
    run.clock.turn(240)
    begin(run, tmp_path).slot()
    assert book(tmp_path) == [gap(0, 60, 2, PUMP_SILENT), gap(60, 330, 8, LOGGER_OFF)]


def test_readings_that_were_lost_with_the_queue_are_the_disk_s_and_counted(run: Run, tmp_path: Path) -> None:
    run.slot()
    for _ in range(5):
        run.slot(written=False)
    run.end()
    for file in (tmp_path / "queue").iterdir():
        file.unlink()
    run.clock.turn(300)
    again = begin(run, tmp_path)
    again.slot()
    assert book(tmp_path) == [gap(0, 150, 5, DISK), gap(150, 480, 10, LOGGER_OFF)]
    assert again.told()["losses"] == {"disk": 5, "quarantined": 0}


def test_readings_that_were_lost_with_the_queue_of_a_running_service_are_counted(run: Run, tmp_path: Path) -> None:
    run.slot()
    for _ in range(5):
        run.slot(written=False)
    run.queue.close()
    for file in (tmp_path / "queue").iterdir():
        file.write_bytes(b"garbage " * 1000)
    with pytest.raises(Exception, match="not a database"):
        run.queue.depth()
    run.slot()
    run.slot()
    assert book(tmp_path) == [gap(0, 150, 5, DISK)]
    assert run.told()["losses"]["disk"] == 5


def test_lost_book_is_found_again_in_the_shards(run: Run, tmp_path: Path) -> None:
    for n in range(12):
        run.slot(missing=PUMP_SILENT if n in (3, 4, 8) else "")
    run.end()
    (tmp_path / "gaps.csv").unlink()
    (tmp_path / "state.json").unlink()
    begin(run, tmp_path).slot()
    assert book(tmp_path) == [gap(60, 150, 2, LOGGER_OFF), gap(210, 270, 1, LOGGER_OFF)]


def test_many_gaps_found_at_once_take_one_line(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(40):
        run.slot(missing=PUMP_SILENT if n % 4 == 2 else "")
    run.end()
    (tmp_path / "gaps.csv").unlink()
    (tmp_path / "state.json").unlink()
    begin(run, tmp_path).slot()
    assert [record.message for record in caplog.records] == ["many gaps found"]
    assert len(book(tmp_path)) == 10


def test_unsaved_readings_are_a_gap_of_the_disk(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.slot()
    monkeypatch.setattr(run.queue, "put", _full)
    run.slot()
    run.slot()
    run.end()
    assert book(tmp_path) == [gap(0, 60, 2, DISK)]
    again = begin(run, tmp_path)
    again.slot()
    assert book(tmp_path) == [gap(0, 60, 2, DISK)]


def _full(_: object) -> None:
    from pipeline.errors import QueueError

    raise QueueError("database or disk is full")


def test_disk_that_takes_no_book_is_told_once_and_the_gaps_are_written_later(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run.slot()
    run.slot(missing=PUMP_SILENT)
    real = os.pwrite

    def failing(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", failing)
    run.gaps.stored(to_ms(run.clock.utc()), run.clock.monotonic())
    for _ in range(3):
        run.watch.step(run.clock.monotonic())
    assert [record.message for record in caplog.records] == ["gap book or state not written"]
    monkeypatch.setattr(os, "pwrite", real)
    run.look()
    assert book(tmp_path) == [gap(0, 60, 1, PUMP_SILENT)]


def test_full_disk_is_told_once_and_once_that_it_is_over_though_there_is_nothing_for_the_book(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run.slot()

    def failing(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", failing)
        for _ in range(3):
            run.watch.step(run.clock.monotonic())
    run.look()
    assert [record.message for record in caplog.records] == ["gap book or state not written", "watch works again"]


def test_service_is_failing_when_no_reading_was_durable_for_too_long(run: Run) -> None:
    run.slot()
    run.clock.turn(200)
    assert run.look()["reasons"] == ["the last reading is 230 s old, more than 180 s"]


def test_age_of_a_reading_follows_the_monotonic_clock(run: Run) -> None:
    run.slot()
    run.clock.step(10 * 365 * 86_400)
    assert run.look()["status"] == "ok"


def test_silent_stage_is_a_reason(run: Run) -> None:
    run.slot()
    run.silent = {"writer": 200.0}
    assert run.look()["reasons"] == ["stage writer has not moved for 200 s"]


def test_last_reading_of_the_run_before_is_told_until_a_new_one_is_durable(run: Run, tmp_path: Path) -> None:
    run.slot()
    run.end()
    assert begin(run, tmp_path).look()["last_reading"] == "2026-01-05T11:00:00.000Z"
