"""The number of a DATA_DIR: written once, read by all, and never passed over where it is a newer one."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import VERSION, data_format, files
from pipeline.data_format import FORMAT, check, claim
from pipeline.errors import NewerFormatError
from tests.running import ROOT

#: What a disk can make of the file, and what never was one.
DAMAGE = (
    b"",
    bytes(40),
    b"{",
    b"null",
    b"[1]",
    b'{"written_by": "0.1.0"}',
    b'{"format": "1"}',
    b'{"format": true}',
    b'{"format": 0}',
    b"[" * 100_000,
    b"\xff",
)


def put(folder: Path, content: bytes) -> Path:
    path = folder / "format.json"
    path.write_bytes(content)
    return path


def newer(folder: Path, **members: object) -> Path:
    return put(folder, json.dumps({"format": FORMAT + 1, "written_by": "7.8.9", **members}).encode())


def document(folder: Path) -> object:
    return json.loads((folder / "format.json").read_bytes())


def test_folder_without_a_number_gets_this_one_whether_it_is_empty_or_not(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "gaps.csv").write_text("as it is")
    (tmp_path / "new").mkdir()
    for folder in (tmp_path / "old", tmp_path / "new"):
        claim(folder)
        assert document(folder) == {"format": FORMAT, "written_by": VERSION}
    assert (tmp_path / "old" / "gaps.csv").read_text() == "as it is"


def test_number_that_stands_is_not_written_again(tmp_path: Path) -> None:
    path = put(tmp_path, b'{"format": 1, "written_by": "0.0.9"}')
    claim(tmp_path)
    assert path.read_bytes() == b'{"format": 1, "written_by": "0.0.9"}'


def test_folder_of_an_older_number_gets_the_newer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path)
    monkeypatch.setattr(data_format, "FORMAT", 2)
    check(tmp_path)
    claim(tmp_path)
    assert document(tmp_path) == {"format": 2, "written_by": VERSION}


def test_folder_of_a_newer_number_is_refused_with_both_numbers_and_the_remedy(tmp_path: Path) -> None:
    path = newer(tmp_path, later="what nobody knows yet")
    before = path.read_bytes()
    for refuse in (check, claim):
        with pytest.raises(NewerFormatError) as error:
            refuse(tmp_path)
        assert str(error.value) == (
            f"{tmp_path} has format {FORMAT + 1}, written by version 7.8.9, and this is version {VERSION}, which knows "
            f"formats up to {FORMAT} (use version 7.8.9 or a newer one, or set another DATA_DIR)"
        )
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["format.json"]


@pytest.mark.parametrize("writer", [None, 7, "", ["7.8.9"]])
def test_newer_number_counts_whoever_wrote_it(tmp_path: Path, writer: object) -> None:
    newer(tmp_path, written_by=writer)
    with pytest.raises(NewerFormatError, match=r"written by a newer version, .* \(use a newer version, or set"):
        check(tmp_path)


def test_looking_at_a_folder_makes_nothing(tmp_path: Path) -> None:
    check(tmp_path)
    check(tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_number_is_told_and_written_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    put(tmp_path, damage)
    check(tmp_path)
    claim(tmp_path)
    assert [record.message for record in caplog.records] == ["damaged format file is written anew"]
    assert document(tmp_path) == {"format": FORMAT, "written_by": VERSION}


def test_number_that_the_disk_does_not_give_is_told_and_written_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "format.json").symlink_to("format.json")
    check(tmp_path)
    claim(tmp_path)
    assert [record.message for record in caplog.records] == ["damaged format file is written anew"]
    assert document(tmp_path) == {"format": FORMAT, "written_by": VERSION}


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", refuse)


def test_first_number_may_wait_for_a_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full(monkeypatch)
    claim(tmp_path)
    assert [record.message for record in caplog.records] == ["format file not written, the next start tries again"]
    assert list(tmp_path.iterdir()) == []


def test_higher_number_must_be_on_the_disk_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(tmp_path)
    monkeypatch.setattr(data_format, "FORMAT", 2)
    full(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        claim(tmp_path)
    assert document(tmp_path) == {"format": 1, "written_by": VERSION}


def test_kill_while_the_number_is_written_leaves_none_and_the_next_start_writes_it(tmp_path: Path) -> None:
    killed = (
        "import os, signal, sys; from pathlib import Path; from pipeline.data_format import claim\n"
        "def half(descriptor, data, at, real=os.pwrite):\n"
        "    real(descriptor, bytes(data)[: len(data) // 2], at)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.pwrite = half\n"
        "claim(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", killed, tmp_path], cwd=ROOT, check=False).returncode == -9
    assert [path.name for path in tmp_path.iterdir()] == [files.TEMPORARY.format("format.json")]
    claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["format.json"]


def test_module_says_what_each_number_meant() -> None:
    told = re.findall(r"^(\d+): ", data_format.__doc__ or "", re.MULTILINE)
    assert [int(number) for number in told] == list(range(1, FORMAT + 1))
