"""The whole service as a process: flow, stop, kill and restart, one instance, full disk."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import queue_view, service, settings
from pipeline.house import House
from pipeline.queue import Queue
from pipeline.simulator import Dump, Fault, SimulatedPump
from tests import dumps
from tests.parts import NOON, open_shards, reading
from tests.running import ROOT, Comparison, compare, drain, environment, fast_service, numbered
from tests.small_disk import fill, small_disk


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def simulated(journal: Path) -> Iterator[SimulatedPump]:
    with SimulatedPump(numbered(House().answer_at), journal=journal) as server:
        yield server


def test_reading_that_comes_while_the_state_is_told_finds_the_queue_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = (
        "import os; from pathlib import Path; from pipeline.queue import Queue\n"
        f"queue = Queue(Path({str(tmp_path)!r}) / 'queue' / 'queue.db')\n"
        f"queue.put([{reading(0).encode()!r}]); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == 9
    built = service.build(settings.load({"LUX_HOST": "127.0.0.1", "LUX_DATA_DIR": str(tmp_path)}))
    seen = queue_view._waiting

    def beside(connection: sqlite3.Connection) -> Any:
        found = seen(connection)
        built.store.add(NOON, reading(30).answer)
        return found

    monkeypatch.setattr(queue_view, "_waiting", beside)
    told = built.watch.document(time.monotonic())
    assert (told["queue"]["depth"], built.store.waiting, built.queue.depth()) == (1, 0, 2)
    built.queue.close()


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, float, list[str]]:
    """Exit code, seconds and events of the log after a signal."""
    began = time.monotonic()
    process.send_signal(number)
    _, log = process.communicate(timeout=9)
    return process.returncode, time.monotonic() - began, [json.loads(line)["event"] for line in log.splitlines()]


def test_every_answer_that_the_pump_sent_stands_in_the_shards_once(
    tmp_path: Path, simulated: SimulatedPump, journal: Path
) -> None:
    with fast_service(tmp_path / "data", simulated) as process:
        assert simulated.wait_for(40, 8)
        code, seconds, events = ended(process, signal.SIGTERM)
    assert (code, seconds < 5) == (0, True)
    expected = ["starting", "controller answers", "part begun", "stopped"]
    assert [event for event in events if event != "slots skipped"] == expected
    found = compare(tmp_path / "data", journal)
    # The answer that was on its way when the signal came may be refused.
    assert found.sent - found.once <= 1
    assert found == Comparison(found.sent, found.once, 0, found.sent - found.once, 0)
    with closing(Queue(tmp_path / "data" / "queue" / "queue.db")) as queue:
        assert queue.depth() == 0


@pytest.mark.parametrize("fault", [Fault("stall", at=3000), Fault("silent"), Fault("drip", rate=1), Fault("refused")])
def test_sigterm_in_the_middle_of_a_stalled_read_stops_within_five_seconds(
    tmp_path: Path, simulated: SimulatedPump, journal: Path, fault: Fault
) -> None:
    with fast_service(tmp_path / "data", simulated) as process:
        assert simulated.wait_for(5, 8)
        simulated.fault = fault
        asked = len(simulated.requests)
        _until(lambda: fault.name == "refused" or len(simulated.requests) > asked)
        code, seconds, _ = ended(process, signal.SIGTERM)
    assert (code, seconds < 5) == (0, True)
    assert compare(tmp_path / "data", journal).missing <= 1


def _until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        time.sleep(0.005)


def test_sigterm_in_a_hanging_name_look_up_stops_within_five_seconds(tmp_path: Path, simulated: SimulatedPump) -> None:
    with fast_service(tmp_path / "data", simulated, "hang", HOST="pump.example") as process:
        _until((tmp_path / "data" / "archive" / ".lock").exists)
        code, seconds, _ = ended(process, signal.SIGTERM)
    assert (code, seconds < 5) == (0, True)


def test_sigterm_while_another_program_locks_the_queue_stops_within_five_seconds(
    tmp_path: Path, simulated: SimulatedPump
) -> None:
    with fast_service(tmp_path / "data", simulated) as process:
        assert simulated.wait_for(5, 8)
        with closing(sqlite3.connect(tmp_path / "data" / "queue" / "queue.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert simulated.wait_for(simulated.answers + 2, 8)
            code, seconds, _ = ended(process, signal.SIGTERM)
    assert (code, seconds < 5.5) == (4, True)


def test_sigterm_while_nobody_reads_the_log_stops_within_five_seconds(tmp_path: Path, simulated: SimulatedPump) -> None:
    with fast_service(tmp_path / "data", simulated, LOG_LEVEL="debug") as process:
        assert simulated.wait_for(3, 8)
        assert process.stderr
        os.set_blocking(process.stderr.fileno(), False)
        _fill_pipe(process)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(9)
    assert time.monotonic() - began < 5.5


def _fill_pipe(process: subprocess.Popen[str]) -> None:
    """Fill the pipe of the service's log through its other end, so that the next line blocks."""
    writer = os.open(f"/proc/{process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    try:
        with contextlib.suppress(BlockingIOError):
            while os.write(writer, b"x" * 4096):
                pass
        with contextlib.suppress(BlockingIOError):
            while os.write(writer, b"x"):
                pass
    finally:
        os.close(writer)


def test_stop_puts_the_buffer_on_the_queue_and_the_queue_into_the_shards(
    tmp_path: Path, simulated: SimulatedPump, journal: Path
) -> None:
    with fast_service(tmp_path / "data", simulated, BUFFER_SAMPLES="2000") as process:
        assert simulated.wait_for(20, 8)
        assert not list((tmp_path / "data" / "shards").glob("*.csv"))
        assert ended(process, signal.SIGTERM)[0] == 0
    found = compare(tmp_path / "data", journal)
    assert found.missing <= 1
    assert found.once >= 19


@pytest.mark.parametrize("seed", [7, 8])
def test_kill_at_random_moments_loses_at_most_the_answer_in_flight(
    tmp_path: Path, simulated: SimulatedPump, journal: Path, seed: int
) -> None:
    chance, kills = random.Random(seed), 4
    for _ in range(kills):
        with fast_service(tmp_path / "data", simulated, interval_s=0.01) as process:
            before = simulated.answers
            assert simulated.wait_for(before + chance.randrange(1, 25), 8)
            time.sleep(chance.random() * 0.02)
            process.kill()
    drain(tmp_path / "data")
    found = compare(tmp_path / "data", journal)
    assert (found.doubled, found.foreign) == (0, 0)
    assert found.missing <= kills
    assert found.once == found.sent - found.missing > 20


def test_kill_during_start_and_stop_leaves_a_folder_that_works(
    tmp_path: Path, simulated: SimulatedPump, journal: Path
) -> None:
    chance = random.Random(11)
    for _ in range(4):
        with fast_service(tmp_path / "data", simulated, interval_s=0.01) as process:
            time.sleep(chance.uniform(0.1, 0.6))
            process.send_signal(signal.SIGTERM)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
    with fast_service(tmp_path / "data", simulated, interval_s=0.01) as process:
        assert simulated.wait_for(simulated.answers + 10, 8)
        assert ended(process, signal.SIGTERM)[0] == 0
    found = compare(tmp_path / "data", journal)
    assert (found.doubled, found.foreign) == (0, 0)
    assert found.missing <= 5


def test_second_service_on_the_same_folder_is_refused(tmp_path: Path, simulated: SimulatedPump) -> None:
    with fast_service(tmp_path / "data", simulated):
        assert simulated.wait_for(1, 8)
        env = environment(tmp_path / "data", simulated.address)
        second = subprocess.run(
            [sys.executable, "-m", "pipeline", "run"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=9
        )
    assert second.returncode == 3
    assert "already running" in second.stderr
    assert "is in use by process" in second.stderr


def test_service_starts_with_the_pump_away_and_logs_it_when_it_comes(tmp_path: Path, simulated: SimulatedPump) -> None:
    simulated.fault = Fault("refused")
    with fast_service(tmp_path / "data", simulated, RETRIES="0") as process:
        _until((tmp_path / "data" / "archive" / ".lock").exists)
        simulated.fault = None
        assert simulated.wait_for(3, 8)
        assert ended(process, signal.SIGTERM)[0] == 0
    assert list((tmp_path / "data" / "shards").glob("*.csv"))


@pytest.mark.parametrize("name", dumps.NAMES)
def test_real_answers_flow_into_the_shards(tmp_path: Path, journal: Path, name: str) -> None:
    with (
        SimulatedPump(Dump(dumps.path(name)), journal=journal, fault=Fault("pieces", sizes=(1000, 3))) as simulated,
        fast_service(tmp_path / "data", simulated) as process,
    ):
        assert simulated.wait_for(20, 8)
        assert ended(process, signal.SIGTERM)[0] == 0
    found = compare(tmp_path / "data", journal)
    assert found.missing <= 1
    assert (found.doubled, found.foreign) == (0, 0)


def test_service_makes_up_the_daily_and_weekly_files_that_are_due(tmp_path: Path, simulated: SimulatedPump) -> None:
    ago_s = (datetime.now(UTC) - NOON).total_seconds()
    open_shards(tmp_path / "data").append([reading(ago_s - 86_400 * days, days) for days in (4, 3, 2, 1)])
    with fast_service(tmp_path / "data", simulated, COMPRESS_AFTER_DAYS="1") as process:
        _until(lambda: len(list((tmp_path / "data" / "weekly").glob("*.csv*.checkpoint"))) >= 3)
        _until(lambda: list((tmp_path / "data" / "shards").glob("*.gz")))
        assert ended(process, signal.SIGTERM)[0] == 0
    assert len(list((tmp_path / "data" / "daily").glob("*_daily.csv*"))) >= 6
    assert not list((tmp_path / "data" / "daily").glob("*.part"))


def test_full_disk_keeps_polling_into_memory_and_writes_all_in_order_when_space_returns(
    tmp_path: Path, simulated: SimulatedPump, journal: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m") as data:
        with fast_service(data, simulated) as process:
            assert simulated.wait_for(5, 8)
            fill(data / "ballast")
            assert simulated.wait_for(simulated.answers + 40, 8)
            (data / "ballast").unlink()
            assert simulated.wait_for(simulated.answers + 5, 8)
            code, _, events = ended(process, signal.SIGTERM)
        assert code == 0
        found = compare(data, journal)
        assert found.missing <= 1
        assert (found.doubled, found.foreign) == (0, 0)
        assert any("they wait in memory" in event or "failed" in event for event in events)


def test_service_that_starts_on_a_full_disk_polls_into_memory(
    tmp_path: Path, simulated: SimulatedPump, journal: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m") as data:
        with fast_service(data, simulated) as process:
            assert simulated.wait_for(3, 8)
            assert ended(process, signal.SIGTERM)[0] == 0
        fill(data / "ballast")
        with fast_service(data, simulated) as process:
            assert simulated.wait_for(simulated.answers + 10, 8)
            (data / "ballast").unlink()
            assert simulated.wait_for(simulated.answers + 2, 8)
            assert ended(process, signal.SIGTERM)[0] == 0
        found = compare(data, journal)
        assert found.missing <= 2
        assert (found.doubled, found.foreign) == (0, 0)
