from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.errors import AlreadyRunningError
from pipeline.lock import InstanceLock, exclusive, is_held

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


def test_lock_holds_where_the_disk_takes_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "injected")

    lock = InstanceLock([tmp_path])
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        lock.acquire()
    assert is_held(tmp_path)
    lock.release()


def test_lock_file_is_held_by_one_at_a_time_and_the_other_waits(tmp_path: Path) -> None:
    path, order = tmp_path / "rollup.lock", []

    def second() -> None:
        with exclusive(path):
            order.append("second")

    waiting = threading.Thread(target=second)
    with exclusive(path):
        waiting.start()
        waiting.join(0.5)
        order.append("first")
    waiting.join(9)
    assert order == ["first", "second"]
