"""Folders as earlier commits left them, under the present service and commands; and one of a version yet to come.

`tests/data/folder-<commit>.tar.xz` is what `python -m tests.old_folder` made: 92323b6 is the first commit that had
queue, shards, daily and weekly files; e27f43d has gaps, state, marks and an archive too, whose number once stood for
two forms.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from pipeline import VERSION, derived, settings
from pipeline.clock import utc_text
from pipeline.data_format import FORMAT
from pipeline.house import House
from pipeline.queue import Queue
from pipeline.sensors import values
from pipeline.simulator import SimulatedPump
from tests import old_folder
from tests.old_folder import BEGIN, EVERY, STORED, WAITING
from tests.parts import stored
from tests.running import ROOT, environment, fast_service
from tests.small_disk import fill, small_disk

PACKED = sorted((ROOT / "tests" / "data").glob("folder-*.tar.xz"))
END = BEGIN + EVERY * (STORED + WAITING)
#: Nothing is too old to stay: the folders are of a winter long ago.
FOR_EVER = {"CSV_RETENTION_DAYS": "0", "SHARD_RETENTION_DAYS": "0", "COMPRESS_AFTER_DAYS": "0"}
FLOW = "ID_WEB_Temperatur_TVL"

#: Time (ms), SHA-256 and flow temperature of an answer.
Told = tuple[int, str, float]


@pytest.fixture(params=PACKED, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of an earlier commit, and beside it what the pump told then."""
    return unpacked(request.param, tmp_path)


def unpacked(packed: Path, folder: Path) -> Path:
    with tarfile.open(packed) as file:
        file.extractall(folder, filter="data")
    return folder / "data"


def told_by_pump(old: Path) -> list[Told]:
    lines = (old.parent / "journal").read_text().splitlines()
    return [(int(at), answer, int(flow) / 10) for at, answer, flow in map(str.split, lines)]


@pytest.fixture
def simulated() -> Iterator[SimulatedPump]:
    with SimulatedPump(House().answer_at) as server:
        yield server


def running(folder: Path, simulated: SimulatedPump) -> AbstractContextManager[subprocess.Popen[str]]:
    return fast_service(folder, simulated, interval_s=0.05, **FOR_EVER)


def call(folder: Path, simulated: SimulatedPump, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = environment(folder, simulated.address, **FOR_EVER)
    command = [sys.executable, "-m", "pipeline", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=9, check=False)


def told_by_shards(old: Path) -> list[Told]:
    return [
        (each.time_ms, hashlib.sha256(each.answer.pack()).hexdigest(), values(each.answer)[FLOW])
        for each in stored(old)
        if each.time < END
    ]


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and every folder."""
    paths = folder.rglob("*")
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


def until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        time.sleep(0.01)


def run_until_all_is_made(folder: Path, simulated: SimulatedPump) -> None:
    """Run the service until it has stored a reading and made up what is due."""
    with running(folder, simulated) as process:
        assert simulated.wait_for(2, 8)
        until((folder / "weekly" / "2026-01-13_weekly.csv.checkpoint").exists)
        until(lambda: archived_days(folder) == 3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=9)
    assert process.returncode == 0


def archived_days(folder: Path) -> int:
    state = folder / "state.json"
    document = json.loads(state.read_bytes()) if state.exists() else {}
    return int(document.get("archive", {}).get("days", 0))


def flow_of_archive(folder: Path) -> list[float]:
    env = environment(folder, ("127.0.0.1", 1), **FOR_EVER)
    (series,) = derived.archive(settings.load(env)).query([FLOW], BEGIN, END)
    return [float(value) for value in series.values]  # type: ignore[union-attr]


def test_service_goes_on_with_an_old_folder(old: Path, simulated: SimulatedPump) -> None:
    before = contents(old)
    run_until_all_is_made(old, simulated)
    after = contents(old)
    assert json.loads(after["format.json"] or b"") == {"format": FORMAT, "written_by": VERSION}
    # What is finished stands there byte for byte; a shard may have grown by what waited on the queue.
    kept = {name: data for name, data in before.items() if name.startswith(("shards/schema", "daily/2", "weekly/2"))}
    assert len(kept) == 1 + 4 + 4
    assert {name: after[name] for name in kept} == kept
    shards = [name for name in before if name.startswith("shards/2026")]
    assert len(shards) == 2
    assert all((after[name] or b"").startswith(before[name] or b"-") for name in shards)
    assert told_by_shards(old) == told_by_pump(old)
    assert stored(old)[-1].time > END
    with closing(Queue(old / "queue" / "queue.db")) as queue:
        assert queue.depth() == 0
    assert not list((old / "quarantine").glob("*"))


def test_waiting_readings_of_an_old_queue_are_in_the_files_that_are_made_up(
    old: Path, simulated: SimulatedPump
) -> None:
    run_until_all_is_made(old, simulated)
    times = [utc_text(at) for at, _, _ in told_by_pump(old)]
    assert times_in(old / "daily" / "2026-01-07_daily.csv") == [at for at in times if at >= "2026-01-06T06"]
    assert times_in(old / "weekly" / "2026-01-07_weekly.csv") == times


def times_in(path: Path) -> list[str]:
    return [line.partition(",")[0] for line in path.read_text().splitlines()[1:]]


def test_archive_over_an_old_folder_tells_what_the_pump_told(old: Path, simulated: SimulatedPump) -> None:
    told = [flow for _, _, flow in told_by_pump(old)]
    assert flow_of_archive(old) == told[:STORED]
    run_until_all_is_made(old, simulated)
    assert flow_of_archive(old) == told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("check",), 0, "260 calculations"),
        (("queue",), 0, f"waiting      {WAITING} readings"),
        (("status",), 1, "no service runs on"),
        (("sensors", FLOW), 0, "28.9"),
        (("rollup", "--kind", "daily"), 0, "2026-01-07_daily.csv: "),
        (("export", "--sensors", FLOW, "--output", "-"), 0, "2026-01-05T05:00:00.000Z,2026-01-05 06:00:00,live,30.4"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_commands_read_an_old_folder(
    old: Path, simulated: SimulatedPump, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = call(old, simulated, *arguments)
    assert (done.returncode, told in done.stdout, "Traceback" in done.stderr) == (code, True, False), done
    assert not (old / "format.json").exists()


def test_maker_of_old_folders_makes_one_of_the_present_code_too(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    command = [sys.executable, old_folder.__file__, str(tmp_path / "made")]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    made = subprocess.run(command, env=env, capture_output=True, text=True, timeout=9, check=False)
    assert made.returncode == 0, made.stderr
    assert told_by_shards(tmp_path / "made" / "data") == told_by_pump(tmp_path / "made" / "data")[:STORED]
    names = contents(unpacked(PACKED[-1], tmp_path)).keys()
    assert {name for name in names if "schema-" not in name} <= contents(tmp_path / "made" / "data").keys()


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder on which the next format's version has worked."""
    folder = unpacked(PACKED[-1], tmp_path)
    (folder / "format.json").write_text(f'{{"format": {FORMAT + 1}, "written_by": "7.8.9", "more": [1]}}')
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("check",),
        ("queue", "--json"),
        ("status", "--json"),
        ("sensors",),
        ("rollup", "--force"),
        ("export", "--output", "-"),
        ("backfill", "README.md"),
        ("backfill", "--fetch"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_folder_of_a_newer_format_is_refused_and_nothing_in_it_changes(
    newer: Path, simulated: SimulatedPump, arguments: tuple[str, ...]
) -> None:
    before = contents(newer)
    done = call(newer, simulated, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        f"{newer} has format {FORMAT + 1}, written by version 7.8.9, and this is version {VERSION}, which knows "
        f"formats up to {FORMAT} (use version 7.8.9 or a newer one, or set another DATA_DIR)"
    )
    assert contents(newer) == before
    assert not simulated.requests


def test_demo_refuses_a_newer_folder_and_begins_anew_when_told_to(tmp_path: Path, simulated: SimulatedPump) -> None:
    (tmp_path / "data-demo").mkdir()
    (tmp_path / "data-demo" / "format.json").write_text(f'{{"format": {FORMAT + 1}, "written_by": "7.8.9"}}')
    env = environment(tmp_path, simulated.address) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline", "demo", "--days", "0"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=9, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("or begin anew with --fresh)\n")
    assert [path.name for path in (tmp_path / "data-demo").iterdir()] == ["format.json"]
    with subprocess.Popen([*command, "--fresh"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any("1 stored" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=9)
    assert json.loads((tmp_path / "data-demo" / "format.json").read_bytes())["format"] == FORMAT


def test_service_starts_on_a_full_disk_without_a_number_and_the_next_start_writes_it(
    tmp_path: Path, simulated: SimulatedPump
) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        data = unpacked(PACKED[-1], disk)
        fill(data / "ballast")
        with running(data, simulated) as process:
            assert simulated.wait_for(10, 8)
            (data / "ballast").unlink()
            assert simulated.wait_for(simulated.answers + 2, 8)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=9)
        assert process.returncode == 0
        assert "format file not written, the next start tries again" in log
        assert len(stored(data)) > STORED + WAITING + 10
        with running(data, simulated) as process:
            until((data / "format.json").exists)


def test_number_is_there_before_the_first_reading(tmp_path: Path, simulated: SimulatedPump) -> None:
    with fast_service(tmp_path / "data", simulated):
        assert simulated.wait_for(1, 8)
        assert json.loads((tmp_path / "data" / "format.json").read_bytes())["format"] == FORMAT
