"""The process around a command: what it prints, where that goes, and odd arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, environment

ANYWHERE = ("127.0.0.1", 1)


def call(shell: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell starts it, with output held back as it is where it goes to a file."""
    command = ["sh", "-c", shell, "sh", sys.executable, "-m", "pipeline", *arguments]
    env = environment(folder / "data", ANYWHERE) | variables
    env.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=9, check=False)


@pytest.mark.parametrize("arguments", [("queue",), ("--help",), ("sensors",)])
def test_full_output_is_exit_code_1_and_a_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = call('"$@" >/dev/full', tmp_path, *arguments)
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    assert "Exception" not in done.stderr


def test_asking_for_the_queue_loads_nothing_of_the_service(tmp_path: Path) -> None:
    done = call('"$@"', tmp_path, "queue", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pipeline.queue_view" in loaded
    assert not loaded & {"numpy", "fastapi", "pipeline.service", "pipeline.simulator", "pipeline.commands.run"}


def test_command_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    done = call('"$@"', tmp_path, "cue")
    assert done.returncode == 2
    assert "invalid choice: 'cue'" in done.stderr
    assert "queue" in done.stderr


def test_little_output_into_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    done = call('{ "$@"; echo $? >&2; } | true', tmp_path, "queue")
    assert done.stderr == "0\n"


def test_output_without_a_degree_sign_has_its_code(tmp_path: Path) -> None:
    done = call('"$@"', tmp_path, "sensors", "Temperatur_TVL", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xb0C" in done.stdout


@pytest.mark.parametrize("name", ["queue", "sensors", "rollup"])
def test_command_without_streams_does_its_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "data" / "shards").mkdir(parents=True)
    assert call('"$@" <&- >&- 2>&-', tmp_path, name).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("rollup", "--date", "0001-01-01"), "must be a day such as"),
        (("rollup", "--date", "9999-12-31"), "must be a day such as"),
        (("simulate", "--host", "\udcff"), "without control characters"),
        (("simulate", "--host", "a..b"), "must be a name that can stand in the DNS"),
        (("simulate", "--port", "9" * 5000), "must be a whole number from 0 to 65535"),
        (("demo", "--days", "9" * 5000), "must be a whole number from 0 to 366"),
        (("demo", "--days", "٣"), "must be a whole number from 0 to 366"),
    ],
)
def test_odd_argument_is_told_by_its_rule(tmp_path: Path, arguments: tuple[str, ...], part: str) -> None:
    (tmp_path / "data" / "shards").mkdir(parents=True)
    done = call('"$@"', tmp_path, *arguments)
    assert (done.returncode, part in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_library_that_is_not_installed_is_told_with_what_mends_it(tmp_path: Path) -> None:
    done = call('python="$1"; shift; "$python" -S "$@"', tmp_path, "queue")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "run `make setup` once" in done.stderr
