"""The command `backfill` as a person types it, on a folder with a gap, and the service that does it by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import gap_book
from pipeline.clock import to_ms
from pipeline.gap import LOGGER_OFF, Gap
from pipeline.gap_book import GapBook
from pipeline.lock import InstanceLock
from pipeline.quarantine import Quarantine
from pipeline.simulator import SimulatedPump
from pipeline.simulator_log import SimulatedLog
from tests.filling import HOUSE, log_rows, remembered
from tests.parts import open_shards
from tests.running import ROOT, environment, fast_service
from tests.test_log_import import live

#: Three hours until a quarter of an hour ago, of which nothing was read in one.
NOW = datetime.now(UTC).replace(microsecond=0)
BEGIN, OFF, ON, END = (NOW - timedelta(minutes=minutes) for minutes in (300, 240, 180, 15))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    open_shards(folder).append([*live(HOUSE.answer_at, BEGIN, OFF), *live(HOUSE.answer_at, ON, END)])
    return folder


def note_gap(data: Path) -> Gap:
    gap = Gap(to_ms(OFF - timedelta(seconds=30)), to_ms(ON), 120, 120, LOGGER_OFF)
    GapBook(data / gap_book.NAME, Quarantine(data / "quarantine").keep).add([gap])
    return gap


def call(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = environment(data, ("127.0.0.1", 8889), **settings)
    command = [sys.executable, "-m", "pipeline", "backfill", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, check=False)


def filled(data: Path) -> list[int]:
    return [gap.filled for gap in gap_book.read(data / gap_book.NAME)]


def test_saved_log_is_looked_at_first_and_then_taken_in_once(data: Path) -> None:
    note_gap(data)
    file = data.parent / "NewProc"
    file.write_bytes(SimulatedLog(remembered).file())
    looked = call(data, str(file), "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "nothing was changed" in looked.stdout
    assert "Text_Vorlauf = ID_WEB_Temperatur_TVL: " in looked.stdout
    assert "logger_off: 120 of 120 polls filled" in looked.stdout
    assert (log_rows(data), filled(data)) == ([], [0])
    taken = call(data, str(file))
    assert "1 day changed" in taken.stdout or "2 days changed" in taken.stdout
    assert len(log_rows(data)) in (58, 59, 60)
    assert filled(data) == [120]
    again = call(data, str(file))
    assert "all of it was there already" in again.stdout


def test_log_is_fetched_from_the_controller(data: Path) -> None:
    note_gap(data)
    with SimulatedLog(remembered) as log:
        done = call(data, "--fetch", BACKFILL_PORT=str(log.address[1]))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"log       {log.url}" in done.stdout
    assert filled(data) == [120]


def test_beside_a_service_the_book_is_left_to_it(data: Path) -> None:
    note_gap(data)
    service = InstanceLock([data])
    service.acquire()
    try:
        with SimulatedLog(remembered) as log:
            assert call(data, "--fetch", BACKFILL_PORT=str(log.address[1])).returncode == 0
    finally:
        service.release()
    assert log_rows(data)
    assert filled(data) == [0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "one of the arguments FILE --fetch is required"),
        (("nowhere",), 1, "No such file or directory: nowhere"),
        (("README.md",), 1, "no process log"),
        (("--fetch",), 1, "/NewProc: connection refused (the controller's web server is off"),
    ],
)
def test_log_that_is_none_changes_nothing_and_says_why(
    data: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    note_gap(data)
    done = call(data, *arguments, BACKFILL_PORT="1")
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert log_rows(data) == []


def test_folder_without_shards_is_told(tmp_path: Path) -> None:
    done = call(tmp_path / "nowhere", "README.md")
    assert done.returncode == 1
    assert "no shards in" in done.stderr


def test_service_finds_the_gap_of_its_absence_and_fills_it(data: Path) -> None:
    with (
        SimulatedLog(remembered) as log,
        SimulatedPump(HOUSE.answer_at) as pump,
        fast_service(data, pump, interval_s=1, BACKFILL="auto", BACKFILL_PORT=str(log.address[1])) as process,
    ):
        end = time.monotonic() + 9
        while not any(filled(data)) and time.monotonic() < end:
            time.sleep(0.1)
        process.terminate()
        process.wait(5)
    found = filled(data)
    assert max(found) >= 118
    assert log.paths == {"GET /NewProc": 1}
