"""The file layer keeps for sure what was fsynced and nothing else, and sees every change."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import files
from tests.chaos.disk_image import PAGE, Disk, Image
from tests.chaos.disk_layer import recording
from tests.chaos.disk_trace import Trace


def recorded(root: Path, do: Callable[[Path], object]) -> Trace:
    """What is done to a folder, which is made."""
    root.mkdir()
    trace = Trace(root)
    with recording(trace):
        do(root)
    return trace


def possible(disk: Disk) -> list[Image]:
    """What a power cut now may leave."""
    return list(disk.images(random.Random(0), 20))


def test_content_survives_its_fsync_and_its_folders(tmp_path: Path) -> None:
    def do(root: Path) -> None:
        (root / "named").open("wb").close()
        files.sync_folder(root)
        with (root / "named").open("wb") as file, (root / "nameless").open("wb") as other:
            for each in (file, other):
                each.write(b"durable")
                each.flush()
                os.fsync(each.fileno())
                each.write(b", and not")

    disk = recorded(tmp_path / "root", do).end()
    assert disk.image() == {"": None, "named": b"durable"}
    assert disk.current() == {"": None, "named": b"durable, and not", "nameless": b"durable, and not"}


def test_file_renamed_without_fsync_may_be_empty_under_its_new_name(tmp_path: Path) -> None:
    def do(root: Path) -> None:
        (root / "new").open("wb").close()
        files.sync_folder(root)
        with (root / "new").open("wb") as file:
            file.write(b"content")
        (root / "new").replace(root / "target")

    images = possible(recorded(tmp_path / "root", do).end())
    assert {"": None, "target": b""} in images
    assert {"": None, "target": b"content"} in images
    assert {"": None, "new": b""} in images


def test_page_that_did_not_reach_the_disk_is_zeros_where_the_file_grew(tmp_path: Path) -> None:
    old, new = b"o" * 100, b"n" * (2 * PAGE)

    def do(root: Path) -> None:
        files.publish(root / "file", old)
        descriptor = os.open(root / "file", os.O_RDWR)
        os.pwrite(descriptor, new, 100)
        os.close(descriptor)

    found = {image["file"] for image in possible(recorded(tmp_path / "root", do).end())}
    assert old in found
    assert old + new in found
    assert old + bytes(PAGE - 100) + new[PAGE - 100 :] in found
    assert (old + new)[:PAGE] in found


def test_names_reach_the_disk_in_any_order(tmp_path: Path) -> None:
    def do(root: Path) -> None:
        files.publish(root / "a", b"a")
        (root / "a").replace(root / "b")
        files.publish(root.joinpath("c"), b"c")
        (root / "b").unlink()
        (root / "c").unlink()

    names = {tuple(sorted(image)) for image in possible(recorded(tmp_path / "root", do).end())}
    assert names == {("", "b", "c"), ("", "b"), ("", "c"), ("",)}


def test_layer_refuses_changes_that_it_does_not_know(tmp_path: Path) -> None:
    trace = Trace(tmp_path)
    with recording(trace), pytest.raises(NotImplementedError, match="link"):
        os.link(tmp_path, tmp_path / "other")


def test_layer_notices_a_change_behind_its_back(tmp_path: Path) -> None:
    real = os.mkdir
    with pytest.raises(AssertionError), recording(Trace(tmp_path)):
        real(tmp_path / "unseen")
