"""The command as a person types it, on shards of its own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from pipeline import arguments, cli, exits
from pipeline.stop import Stop
from tests.running import ROOT, environment, only
from tests.test_archive import FLOW, add_all, archive, fill


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "export", *arguments]
    env = environment(folder, ("127.0.0.1", 8889), **settings) | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=False)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    fill(tmp_path, 2)
    add_all(archive(tmp_path))
    return tmp_path


def test_export_says_what_it_made(filled: Path) -> None:
    ended = run(filled, "--from", "2026-01-06", "--to", "2026-01-07", "--sensors", FLOW, "--output", "day.csv")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "day.csv: 8.2 kB, 1 sensor, 144 readings, 2026-01-06 00:00 to 2026-01-06 23:50\n"
    assert len((filled / "day.csv").read_text(encoding="utf-8").splitlines()) == 145
    assert (filled / "day.csv.datapackage.json").exists()


def test_export_to_standard_output_is_nothing_but_the_table(filled: Path) -> None:
    ended = run(filled, "--sensors", FLOW, "--format", "jsonl", "--output", "-")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [json.loads(line)[FLOW] for line in ended.stdout.splitlines()][:3] == [-200.0, -199.9, -199.8]
    assert not list(filled.glob("*.datapackage.json"))


def test_settings_say_what_is_exported_where_no_argument_does(filled: Path) -> None:
    settings = {"EXPORT_SENSORS": "ID_WEB_Temperatur_T*L", "EXPORT_FROM": "2026-01-06", "EXPORT_TO": "2026-01-06T01:00"}
    ended = run(filled, "--output", "-", **settings)
    header, *rows = ended.stdout.splitlines()
    assert header == f"time,local_time,source,{FLOW},ID_WEB_Temperatur_TRL"
    assert len(rows) == 6
    ended = run(filled, "--sensors", FLOW, "--to", "2026-01-06T00:30", "--output", "-", **settings)
    assert ended.stdout.splitlines()[0] == f"time,local_time,source,{FLOW}"
    assert len(ended.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--sensors", "ID_WEB_Temperatur_TVI", "--output", "x.csv"], 1, "near it: ID_WEB_Temperatur_TV"),
        (
            ["--every", "7min", "--output", "x.csv"],
            2,
            "must be a part of a day such as 30s, 15min, 1h or 1d (got '7min')",
        ),
        (["--from", "yesterday", "--output", "x.csv"], 2, "(got 'yesterday')"),
        (["--from", "2026-01-07", "--to", "2026-01-06", "--output", "x.csv"], 1, "lies before the start"),
        (["--to", "2020-01-06", "--output", "x.csv"], 1, "no readings from the beginning to 2020-01-06T00:00:00+01:00"),
        (["--from", "2030-01-06", "--output", "x.csv"], 1, "no readings from 2030-01-06T00:00:00+01:00 to the end"),
        (["--output", "nowhere/x.csv"], 1, "nowhere/x.csv cannot be a file"),
        (["--output", "x.xlsx"], 1, "x.xlsx ends in none of .csv, .json, .jsonl, .dta"),
        (["--output", "shards"], 1, "shards cannot be a file"),
        (["--locale", "de", "--output", "x.json"], 1, "--locale de is for csv, not for json"),
        (["--group", "warmth", "--output", "x.csv"], 1, "groups are temperatures, heating-circuit"),
    ],
)
def test_what_cannot_be_exported_is_told_and_makes_no_file(
    filled: Path, arguments: list[str], code: int, said: str
) -> None:
    ended = run(filled, *arguments)
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(filled.glob("*x.*"))


def test_read_only_folder_is_told_by_the_name_that_was_asked_for(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, DATA_DIR=str(filled))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cli.main(["export", "--output", str(filled / "x.csv")], Stop()) == exits.FAILED
    assert "/x.csv cannot be written, its folder is read-only" in capsys.readouterr().err


def test_days_before_now_are_no_option() -> None:
    given = ["export", "--from", "-30d", "--to", "-1d", "--output", "-"]
    assert arguments.glued(given) == ["export", "--from=-30d", "--to=-1d", "--output", "-"]


def test_folder_without_shards_is_told(tmp_path: Path) -> None:
    ended = run(tmp_path, "--output", "x.csv")
    assert ended.returncode == 1
    assert "is DATA_DIR the folder of your logger?" in ended.stderr


def test_reader_that_ends_early_is_no_failure(filled: Path) -> None:
    command = f"{sys.executable} -m pipeline export --output - | head -1"
    env = environment(filled, ("127.0.0.1", 8889)) | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=env, text=True, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("time,local_time,source,")


def test_full_disk_is_told_as_such(filled: Path) -> None:
    command = f"{sys.executable} -m pipeline export --output - > /dev/full"
    env = environment(filled, ("127.0.0.1", 8889)) | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", command], env=env, text=True, capture_output=True, check=False)
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_closed_standard_output_is_told(filled: Path) -> None:
    command = f"{sys.executable} -m pipeline export --output - >&-"
    env = environment(filled, ("127.0.0.1", 8889)) | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", command], env=env, text=True, capture_output=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "standard output is closed (name a file instead of -)\n"


def test_interrupted_export_leaves_nothing_and_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    # Seconds of work, of which the first day shows the bar.
    fill(tmp_path, 200, 21_600)
    ours, theirs = pty.openpty()
    # 24 rows of 80 columns: a new one has none.
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # A test run in the background hands on that Ctrl-C is ignored.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "pipeline", "export", "--output", "all.json"]
    env = environment(tmp_path, ("127.0.0.1", 8889)) | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b""
        while b"day" not in shown:
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    os.close(ours)
    assert [path.name for path in tmp_path.iterdir() if "all" in path.name] == []
