from __future__ import annotations

import errno
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import compress as compress_module
from pipeline.compress import compress
from tests.running import ROOT

CONTENT = b"time,a\n" + b"2026-01-05T11:00:00.000Z,1\n" * 500

#: Compresses and dies before the nth rename or unlink.
KILLED = (
    "import os, signal, sys; from pathlib import Path; from pipeline.compress import compress\n"
    "what, nth = sys.argv[2], int(sys.argv[3]); real = getattr(Path, what)\n"
    "setattr(Path, what, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
    "compress(Path(sys.argv[1]))"
)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "2026-01-05.csv"
    path.write_bytes(CONTENT)
    return path


def packed(plain: Path) -> Path:
    return plain.with_name(plain.name + ".gz")


def test_compressed_file_holds_the_same_bytes_and_tells_what_it_frees(plain: Path) -> None:
    freed = compress(plain)
    assert gzip.decompress(packed(plain).read_bytes()) == CONTENT
    assert freed == len(CONTENT) - packed(plain).stat().st_size
    assert [p.name for p in plain.parent.iterdir()] == ["2026-01-05.csv.gz"]


@pytest.mark.parametrize("what", ["replace", "unlink"])
def test_kill_leaves_a_whole_file_and_the_next_time_finishes(plain: Path, what: str) -> None:
    command = [sys.executable, "-c", KILLED, str(plain), what, "0"]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=9)
    assert done.returncode == -signal.SIGKILL
    assert plain.read_bytes() == CONTENT
    assert packed(plain).exists() == (what == "unlink")
    compress(plain)
    assert not plain.exists()
    assert gzip.decompress(packed(plain).read_bytes()) == CONTENT


def test_full_disk_gets_back_what_the_compressed_file_took(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "injected")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="injected"):
        compress(plain)
    assert [p.name for p in plain.parent.iterdir()] == [plain.name]


@pytest.mark.parametrize("stale", [b"garbage", gzip.compress(CONTENT[:-9]), gzip.compress(CONTENT + b"more"), b""])
def test_pair_is_compared_before_the_plain_file_goes(plain: Path, stale: bytes) -> None:
    packed(plain).write_bytes(stale)
    compress(plain)
    assert gzip.decompress(packed(plain).read_bytes()) == CONTENT


def test_pair_that_is_equal_only_loses_the_plain_file(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(plain).write_bytes(gzip.compress(CONTENT))
    monkeypatch.delattr(compress_module, "_write")
    assert compress(plain) > 0
    assert not plain.exists()


def test_file_that_does_not_read_back_is_not_trusted(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress_module, "_is_same", lambda *_: False)
    with pytest.raises(OSError, match="did not read back"):
        compress(plain)
    assert [p.name for p in plain.parent.iterdir()] == ["2026-01-05.csv"]


def test_file_that_grew_meanwhile_stays(plain: Path) -> None:
    @contextmanager
    def guard() -> Iterator[None]:
        with plain.open("ab") as file:
            file.write(b"one more line\n")
        yield

    assert compress(plain, guard) == 0
    assert plain.read_bytes() == CONTENT + b"one more line\n"
    compress(plain)
    assert gzip.decompress(packed(plain).read_bytes()) == CONTENT + b"one more line\n"


def test_compressed_file_is_fsynced_before_its_name_and_its_name_before_the_plain_file_goes(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_sync, real_replace, real_unlink = os.fsync, Path.replace, Path.unlink

    def sync(descriptor: int) -> None:
        steps.append("sync folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "sync file")  # noqa: PTH112
        real_sync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    def unlink(self: Path, missing_ok: bool = False) -> None:
        steps.append("unlink")
        real_unlink(self, missing_ok)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink)
    compress(plain)
    assert steps == ["sync file", "rename", "sync folder", "unlink", "sync folder"]
