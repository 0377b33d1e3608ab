from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import AlreadyRunningError
from pipeline.lock import InstanceLock, is_held

HOLD = (
    "import sys; from pathlib import Path; from pipeline.lock import InstanceLock\n"
    "InstanceLock([Path(sys.argv[1])]).acquire(); print('held', flush=True); sys.stdin.read()"
)


def test_second_service_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    first = InstanceLock([tmp_path / "a", tmp_path / "b"])
    first.acquire()
    assert is_held(tmp_path / "b")
    with pytest.raises(AlreadyRunningError, match=rf"b is in use by process {os.getpid()} since"):
        InstanceLock([tmp_path / "c", tmp_path / "b"]).acquire()
    assert not is_held(tmp_path / "c")
    first.release()
    assert not is_held(tmp_path / "a")
    InstanceLock([tmp_path / "b"]).acquire()


def test_folder_named_twice_is_locked_once(tmp_path: Path) -> None:
    lock = InstanceLock([tmp_path, tmp_path])
    lock.acquire()
    lock.release()


def test_folder_reached_by_two_names_is_locked_once(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lock = InstanceLock(
        [tmp_path / "link", tmp_path / "real", tmp_path / "link" / "queue", tmp_path / "real" / "queue"]
    )
    lock.acquire()
    lock.release()


def test_kill_releases_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait(9)
    assert not is_held(tmp_path)
    InstanceLock([tmp_path]).acquire()


def test_folder_without_a_lock_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "nowhere")
