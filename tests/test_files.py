"""Whole files appear by rename: fsynced before, their folder after."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import files
from tests.running import ROOT
from tests.watching import watch

#: Publishes a file and dies when half of it is written.
KILLED = (
    "import os, signal, sys; from pathlib import Path; from pipeline import files\n"
    "def half(descriptor, data, at, real=os.pwrite):\n"
    "    real(descriptor, bytes(data)[: len(data) // 2], at)\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
    "os.pwrite = half\n"
    "files.publish(Path(sys.argv[1]), b'new' * 1000)"
)


def test_published_file_is_fsynced_before_its_name_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = watch(monkeypatch)
    files.publish(tmp_path / "a.csv", b"whole")
    whole = [("write", ".a.csv.tmp"), ("sync", ".a.csv.tmp"), ("rename", "a.csv"), ("sync", tmp_path.name)]
    assert steps == whole
    assert (tmp_path / "a.csv").read_bytes() == b"whole"


def test_kill_in_the_middle_of_publishing_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    files.publish(target, b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], cwd=ROOT, check=False, timeout=9)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    files.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [target]


def test_each_new_folder_is_durable_in_the_one_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = watch(monkeypatch)
    files.make_folder(tmp_path / "a" / "b" / "c")
    above = ("sync", tmp_path.parent.name)
    assert steps == [above, ("sync", tmp_path.name), ("sync", "a"), ("sync", "b")]


def test_what_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    target, dead = tmp_path / "a.csv.gz", tmp_path / ".b.csv.tmp"
    dead.write_bytes(b"half")
    with files.beside(target) as temporary:
        temporary.write_bytes(b"whole")
        files.remove_leftovers(tmp_path)
        assert not dead.exists()
        temporary.replace(target)
    assert target.read_bytes() == b"whole"


def test_file_whose_writing_failed_is_a_leftover_if_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="broke off"):  # noqa: PT012
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(OSError("the disk serves nothing")))
        with files.beside(tmp_path / "a.csv") as temporary:
            temporary.write_bytes(b"half")
            raise ValueError("broke off")
    assert temporary.exists()
    files.remove_leftovers(tmp_path)
    assert not temporary.exists()
