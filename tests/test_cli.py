"""The commands as a person calls them: real processes, exit codes, what is printed and what is not."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import VERSION, queue_view
from pipeline.cli import main
from pipeline.house import House
from pipeline.simulator import SimulatedPump, read_journal
from pipeline.stop import Stop
from tests import dumps
from tests.parts import NOON, open_shards, reading
from tests.running import ROOT, environment, fast_service


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedPump]:
    with SimulatedPump(House().answer_at) as server:
        yield server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def call(*arguments: str, env: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=9, check=False)


@pytest.fixture
def env(data: Path, simulated: SimulatedPump) -> dict[str, str]:
    return environment(data, simulated.address)


@pytest.mark.parametrize(
    "name", ["run", "demo", "rollup", "queue", "status", "check", "sensors", "simulate", "export", "processlog"]
)
def test_help_tells_of_every_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], [name, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments, Stop())
        assert ended.value.code == 0
    of_all, of_one = capsys.readouterr().out.split(f"usage: python -m pipeline {name}")
    assert of_all.startswith("usage: python -m pipeline ")
    assert f"\n    {name}" in of_all
    assert "--help" in of_one


def test_version_is_told(env: dict[str, str]) -> None:
    assert call("--version", env=env).stdout == f"Luxtronik Logger {VERSION}\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("queue", "--yaml"), ("simulate", "--fault", "nonsense"), ("simulate", "--port", "99999")],
)
def test_wrong_usage_is_exit_code_2_without_a_traceback(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = call(*arguments, env=env)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_told_all_at_once_and_nothing_is_created(env: dict[str, str], data: Path) -> None:
    wrong = {**env, "LUX_INTERVAL_SEC": "abc", "LUX_CSV_TIME": "25:00", "LUX_INTERVALL": "5"}
    done = call("run", env=wrong)
    assert done.returncode == 2
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["INTERVALL", "INTERVAL_SEC", "CSV_TIME"]
    assert "INTERVAL_SEC: must be a whole number from 5 to 3600 seconds (got 'abc')" in done.stderr
    assert done.stdout == ""
    assert not data.exists()


@pytest.mark.parametrize("command", ["run", "check"])
def test_missing_host_says_how_to_set_it(env: dict[str, str], command: str) -> None:
    done = call(command, env={name: value for name, value in env.items() if name != "LUX_HOST"})
    assert done.returncode == 2
    assert "LUX_HOST=192.168.1.20" in done.stderr


@pytest.mark.parametrize("command", ["queue", "sensors"])
def test_commands_that_need_no_pump_need_no_host(env: dict[str, str], command: str) -> None:
    assert call(command, env={name: value for name, value in env.items() if name != "LUX_HOST"}).returncode == 0


def test_file_of_another_owner_is_told_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Root may read everything; the checks of the image see it with a real user.
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(queue_view, "look", refused)
    monkeypatch.setenv("LUX_DATA_DIR", str(tmp_path))
    user, group = os.getuid(), os.getgid()
    with closing(Stop()) as stop:
        assert main(["queue"], stop) == 1
    said = capsys.readouterr().err
    assert said == (
        f"Permission denied: {tmp_path} (user {user} may not write {tmp_path}, which belongs to user {user}: "
        f"sudo chown -R {user}:{group} {tmp_path} (in a container: of the folder that is mounted there))\n"
    )


def test_folder_that_cannot_be_written_is_a_settings_error(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("run", env={**env, "LUX_DATA_DIR": str(tmp_path / "file" / "data")})
    assert done.returncode == 2
    assert "DATA_DIR" in done.stderr


def test_queue_tells_depth_for_people_and_programs(env: dict[str, str], data: Path, simulated: SimulatedPump) -> None:
    assert json.loads(call("queue", "--json", env=env).stdout) == {
        "depth": 0,
        "oldest": None,
        "newest": None,
        "bytes": 0,
        "quarantined": 0,
    }
    assert "is DATA_DIR the folder of your logger?" in call("queue", env=env).stdout
    assert not data.exists()
    with fast_service(data, simulated):
        assert simulated.wait_for(simulated.answers + 3, 8)
        running = json.loads(call("queue", "--json", env=env).stdout)
        assert set(running) == {"depth", "oldest", "newest", "bytes", "quarantined"}
        assert running["bytes"] > 0
    assert "waiting" in call("queue", env=env).stdout


def test_check_reads_the_pump_and_tells_settings_and_disk(env: dict[str, str], data: Path) -> None:
    done = call("check", env=env)
    assert done.returncode == 0, done.stderr
    assert "environment LUX_HOST" in done.stdout
    assert "1126 parameters, 260 calculations, 355 visibilities" in done.stdout
    assert "firmware V3.88" in done.stdout
    assert "a year of readings every 30 s takes about" in done.stdout
    assert not data.exists()


def test_check_of_a_pump_that_is_away_fails_with_the_reason(env: dict[str, str]) -> None:
    done = call("check", env={**env, "LUX_PORT": "1"})
    assert done.returncode == 1
    assert "no reading from 127.0.0.1:1 (connection)" in done.stdout
    assert "refused" in done.stdout


def test_check_beside_a_running_service_leaves_the_pump_alone(
    env: dict[str, str], data: Path, simulated: SimulatedPump
) -> None:
    with fast_service(data, simulated, interval_s=600):
        assert simulated.wait_for(simulated.answers + 1, 8)
        while not list((data / "shards").glob("*.csv")):
            pass
        asked = len(simulated.requests)
        done = call("check", env=env)
        assert len(simulated.requests) == asked
    assert done.returncode == 0
    assert "a service is running" in done.stdout
    assert "firmware V3.88" in done.stdout


def test_sensors_are_found_by_part_of_a_name_or_pattern(env: dict[str, str], data: Path) -> None:
    open_shards(data).append([reading(0, 215)])
    by_part = call("sensors", "temperatur_tvl", env=env).stdout
    _, line = by_part.splitlines()
    assert line.split()[:6] == ["ID_WEB_Temperatur_TVL", "calculation", "10", "°C", "Celsius", "21.5"]
    assert line.endswith("  Flow temperature / Vorlauftemperatur")
    for words in ("vorlauftemperatur", "Flow temp*"):
        assert line.split() in map(str.split, call("sensors", words, env=env).stdout.splitlines())
    assert call("sensors", "ID_WEB_Temperatur_TV?", env=env).stdout == by_part
    assert "58 (MSW 6)" in call("sensors", "Code_WP_akt", env=env).stdout


def test_sensor_that_does_not_exist_suggests_the_nearest(env: dict[str, str]) -> None:
    done = call("sensors", "ID_WEB_Temperatur_TVX", env=env)
    assert done.returncode == 1
    assert "ID_WEB_Temperatur_TVL" in done.stderr


def test_output_into_a_closed_pipe_is_no_error(env: dict[str, str]) -> None:
    done = subprocess.run(
        f"{sys.executable} -m pipeline sensors | head -1",
        shell=True, cwd=ROOT, env=env, capture_output=True, text=True, timeout=9, check=True,
    )  # fmt: skip
    assert done.stderr == ""


def test_simulator_replays_a_dump_and_keeps_its_journal(tmp_path: Path, env: dict[str, str]) -> None:
    journal = tmp_path / "journal"
    arguments = ["--port", "0", "--dump", str(dumps.path("V3.78-MSW6")), "--journal", str(journal)]
    command = [sys.executable, "-m", "pipeline", "simulate", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().split()[3].rstrip(",").rpartition(":")[2]
        done = call("check", env={**env, "LUX_PORT": port})
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=9)
    assert "pump type MSW 6" in done.stdout
    assert process.returncode == 130
    assert rest == "sent 1 whole answers\n"
    assert len(read_journal(journal)) == 1


def test_simulator_names_a_port_in_use(env: dict[str, str], simulated: SimulatedPump) -> None:
    done = call("simulate", "--port", str(simulated.address[1]), env=env)
    assert done.returncode == 1
    assert "in use" in done.stderr


def demo_until(line_part: str, tmp_path: Path, env: dict[str, str], *arguments: str) -> str:
    """What a demo prints until a line shows up and Ctrl-C has ended it."""
    command = [sys.executable, "-m", "pipeline", "demo", *arguments]
    demo_env = {**env, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=demo_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            printed = ""
            for line in process.stdout:
                printed += line
                if line_part in line:
                    break
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=9)
        finally:
            process.kill()
    assert (process.returncode, errors) == (130, "")
    return printed + rest


@pytest.mark.parametrize(("again", "rows"), [((), [1, 2]), (("--fresh",), [1, 1])])
def test_demo_stores_readings_and_goes_on_at_the_next_start(
    tmp_path: Path, env: dict[str, str], again: tuple[str, ...], rows: list[int]
) -> None:
    counts = []
    for arguments in ((), again):
        assert "stored in this run" in demo_until("1 stored", tmp_path, env, "--days", "0", *arguments)
        (shard,) = (tmp_path / "data-demo" / "shards").glob("*.csv")
        counts.append(shard.read_bytes().count(b"\n") - 1)
    assert counts == rows


def test_demo_has_history_with_daily_and_weekly_files(tmp_path: Path, env: dict[str, str]) -> None:
    printed = demo_until("_weekly.csv", tmp_path, env, "--days", "1")
    assert "history: 2880 readings since" in printed
    assert "_daily.csv, " in printed


def test_ctrl_c_ends_the_demo_in_the_middle_of_its_history(tmp_path: Path, env: dict[str, str]) -> None:
    printed = demo_until("end it", tmp_path, env, "--days", "300")
    assert "stored in this run" in printed


def test_rollup_by_hand_with_other_settings_than_the_service_is_refused(env: dict[str, str], data: Path) -> None:
    ago_s = (datetime.now(UTC) - NOON).total_seconds()
    # Days of Berlin and of Tokyo begin 7 or 8 hours apart: at any time of day a reading lies between.
    open_shards(data).append([reading(ago_s - 21_600 * n, n) for n in range(12, 0, -1)])
    assert call("rollup", env=env).returncode == 0
    before = {name: (data / "daily" / name).read_bytes() for name in rolled_up(data) if "daily" in name}
    other = {**env, "LUX_TIMEZONE": "Asia/Tokyo"}
    done = call("rollup", env=other)
    assert (done.returncode, "give this command the settings of the service" in done.stderr) == (1, True)
    assert {name: (data / "daily" / name).read_bytes() for name in before} == before
    assert call("rollup", "--force", env=other).returncode == 0


def rolled_up(folder: Path) -> list[str]:
    return sorted(p.name for kind in ("daily", "weekly") for p in (folder / kind).glob("*.csv"))


def test_rollup_by_hand_makes_what_is_due_and_then_nothing(env: dict[str, str], data: Path) -> None:
    now = datetime.now(UTC)
    ago_s = (now - NOON).total_seconds()
    open_shards(data).append([reading(ago_s - 86_400 * days, days) for days in (3, 2, 1)])
    done = call("rollup", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    made = rolled_up(data)
    assert done.stdout.count("_daily.csv: ") == sum("daily" in name for name in made) >= 2
    assert "everything is up to date" in call("rollup", env=env).stdout
    newest = made[-1][:10]
    again = call("rollup", "--kind", "weekly", "--date", newest, "--force", env=env)
    assert again.stdout.startswith(f"{newest}_weekly.csv: ")
    assert again.stdout.count("\n") == 1


def test_rollup_by_hand_says_what_cannot_be_made(env: dict[str, str], data: Path) -> None:
    missing = call("rollup", env=env)
    assert (missing.returncode, "no shards in" in missing.stderr) == (1, True)
    open_shards(data).append([reading(0)])
    empty = call("rollup", "--date", "2020-05-05", env=env)
    assert (empty.returncode, "no readings in daily 2020-05-05" in empty.stderr) == (1, True)
    future = call("rollup", "--date", "2090-05-05", env=env)
    assert (future.returncode, "has not ended yet" in future.stderr) == (1, True)
    wrong = call("rollup", "--date", "5.5.2026", env=env)
    assert (wrong.returncode, "must be a day such as" in wrong.stderr) == (2, True)


def test_rollup_by_hand_is_safe_beside_a_running_service(
    env: dict[str, str], data: Path, simulated: SimulatedPump
) -> None:
    open_shards(data).append([reading(0, 1), reading(3 * 86_400, 2)])
    with fast_service(data, simulated, CSV_RETENTION_DAYS="0", COMPRESS_AFTER_DAYS="0"):
        assert simulated.wait_for(simulated.answers + 3, 8)
        done = call("rollup", "--date", "2026-01-06", "--force", env=env)
    assert done.returncode == 0
    assert {"2026-01-06_daily.csv", "2026-01-06_weekly.csv"} <= set(rolled_up(data))


def test_ctrl_c_of_run_stops_cleanly_with_130(env: dict[str, str], data: Path, simulated: SimulatedPump) -> None:
    command = [sys.executable, "-m", "pipeline", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert simulated.wait_for(simulated.answers + 1, 8)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=9)
    assert process.returncode == 130
    assert [json.loads(line)["event"] for line in errors.splitlines()][-1] == "stopped"


def test_signal_during_the_imports_of_run_ends_it_without_a_trace(env: dict[str, str], data: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if "pipeline.stop" in line:
                break
        for line in process.stderr:
            if "argparse" in line:
                break
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=9)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_simulator_serves_its_own_log_with_its_faults(env: dict[str, str], tmp_path: Path) -> None:
    dump = ["--dump", str(dumps.path("V3.78-MSW6"))]
    command = [sys.executable, "-m", "pipeline", "simulate", "--port", "0", "--log-fault", "torn", *dump]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = process.stdout.readline()
        url = said.split()[7].rstrip(",")
        file = tmp_path / "NewProc"
        with urllib.request.urlopen(url, timeout=5) as response:
            file.write_bytes(response.read())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=9)
    assert "fault: none, fault of the log: torn; Ctrl-C" in said
    done = call("processlog", str(file), env=env)
    assert (done.returncode, done.stdout.count("\n")) == (0, 2881)
