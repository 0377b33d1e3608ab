"""What a power cut may leave: the attack catches each way to forget an fsync, and a killed process leaves no gap."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipeline import appender, checkpoint, files, rollup_file
from pipeline.checkpoint import Checkpoint
from pipeline.compress import compress
from pipeline.quarantine import Quarantine
from stages import retain
from stages.write import Write
from tests.chaos import power, power_archive
from tests.chaos.archive_look import FromShards
from tests.chaos.disk_image import Disk, Image, write_image
from tests.chaos.disk_layer import recording
from tests.chaos.disk_trace import Killed, Trace
from tests.chaos.power_scenes import SCENES, Scene
from tests.chaos.tally import BrokenError
from tests.parts import open_shards, reading
from tests.rollups import make_rollup


class OtherOs:
    """The module `os` with another fsync."""

    def __init__(self, fsync: Callable[[int], object]) -> None:
        self.fsync = fsync

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


NO_FSYNC = OtherOs(lambda _descriptor: None)


def possible(disk: Disk) -> list[Image]:
    """What a power cut now may leave."""
    return list(disk.images(random.Random(0), 20))


def killed_everywhere(
    folder: Path, do: Callable[[Path], object], prepare: Callable[[Path], object] = lambda _root: None
) -> Iterator[Trace]:
    """Traces of something that is killed before each of its operations in turn, and done again by a new process."""
    kill_at = 0
    while True:
        root = folder / f"killed-{kill_at}"
        root.mkdir()
        prepare(root)
        trace = Trace(root, kill_at=kill_at)
        with recording(trace):
            try:
                do(root)
            except Killed:
                trace.revive()
                do(root)
            else:
                break
        yield trace
        kill_at += 1
    assert kill_at > 3


def scene_of(name: str) -> Scene:
    return next(scene for scene in SCENES if scene.name == name)


def is_caught(folder: Path, scene: Scene) -> bool:
    """Whether a short round of a scene ends with something broken, lost, doubled or torn."""
    try:
        return not power.run(scene, folder, range(1)).holds
    except BrokenError:
        return True


def test_missing_fsync_of_a_batch_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "os", NO_FSYNC)
    assert is_caught(tmp_path / "work", scene_of("append"))


@pytest.mark.parametrize("scene", ["append", "rollup"])
def test_missing_fsync_of_a_published_file_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: str
) -> None:
    monkeypatch.setattr(files, "os", NO_FSYNC)
    assert is_caught(tmp_path / "work", scene_of(scene))


@pytest.mark.parametrize("scene", ["append", "rollup"])
def test_missing_fsync_of_a_folder_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: str) -> None:
    monkeypatch.setattr(files, "sync_folder", lambda _folder: None)
    assert is_caught(tmp_path / "work", scene_of(scene))


def test_batch_acknowledged_before_it_is_appended_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Write._store

    def acknowledge_first(write: Write, batch: list[bytes]) -> None:
        write._queue.acknowledge()
        store(write, batch)

    monkeypatch.setattr(Write, "_store", acknowledge_first)
    assert is_caught(tmp_path / "work", scene_of("append"))


def test_plain_file_that_goes_before_its_compressed_one_is_durable_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def early(path: Path, guard: Callable[[], AbstractContextManager[object]] = nullcontext) -> int:
        target = path.with_name(path.name + ".gz")
        temporary = path.with_name(files.TEMPORARY.format(target.name))
        with guard(), temporary.open("wb") as packed:
            packed.write(gzip.compress(path.read_bytes()))
            packed.flush()
            temporary.replace(target)
            path.unlink()
            os.fsync(packed.fileno())
        files.sync_folder(path.parent)
        return 0

    def five_days(folder: Path) -> None:
        open_shards(folder).append([reading(86_400 * day) for day in range(-4, 1)])

    monkeypatch.setattr(retain, "compress", early)
    assert is_caught(tmp_path / "work", replace(scene_of("retain"), prepare=five_days, keep=(1, 0, 1)))


def test_checkpoint_that_is_saved_before_its_part_is_durable_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[int] = []
    save = checkpoint.save

    def save_first(target: Path, saved: Checkpoint) -> None:
        save(target, saved)
        while late:
            os.fsync(late.pop())

    monkeypatch.setattr(rollup_file, "os", OtherOs(late.append))
    monkeypatch.setattr(checkpoint, "save", save_first)
    assert is_caught(tmp_path / "work", scene_of("rollup"))


def test_archived_day_that_is_gone_though_its_log_was_durable_is_caught(tmp_path: Path) -> None:
    chance = random.Random(0)
    power_archive._begin(tmp_path, chance)
    took = power_archive._take(tmp_path, chance)
    shards = FromShards(tmp_path)
    for content, holds in ((took.after, True), (took.before, False)):
        shutil.rmtree(tmp_path / "archive")
        write_image(tmp_path / "archive", {"": None, "archive.db": content})
        cut = power_archive.Cut("behind all", {}, took.due[-1:])
        with nullcontext() if holds else pytest.raises(BrokenError, match="due are"):
            power_archive._examine(tmp_path, cut, shards)


def test_piece_that_a_dead_process_put_into_quarantine_is_durable_when_it_is_kept_again(tmp_path: Path) -> None:
    for trace in killed_everywhere(tmp_path, lambda root: Quarantine(root / "quarantine").keep("queue", b"piece")):
        assert b"piece" in trace.end().image().values()


def test_folder_that_a_dead_process_made_is_durable_when_it_is_asked_for_again(tmp_path: Path) -> None:
    for trace in killed_everywhere(tmp_path, lambda root: files.make_folder(root / "outer" / "inner")):
        assert {"outer", "outer/inner"} <= trace.end().image().keys()


def test_file_whose_compression_was_killed_is_whole_at_every_power_cut_in_the_next_try(tmp_path: Path) -> None:
    content = b"row\n" * 5000

    def do(root: Path) -> None:
        if (root / "file").exists():
            compress(root / "file")

    def is_whole(image: Image) -> bool:
        packed = image.get("file.gz")
        return image.get("file") == content or (packed is not None and gzip.decompress(packed) == content)

    for trace in killed_everywhere(tmp_path, do, lambda root: (root / "file").write_bytes(content)):
        assert all(is_whole(image) for disk in trace.disks() for image in possible(disk))


def test_checkpoint_of_a_killed_rollup_never_leads_its_file_on_the_disk(tmp_path: Path) -> None:
    def do(root: Path) -> None:
        rollup = make_rollup(root)
        rollup.build(rollup.window(date(2026, 1, 6), "daily"))

    def leads(image: Image) -> bool:
        content = image.get(f"{target}.checkpoint")
        if content is None:
            return False
        saved = checkpoint.decode(content)
        found = [image.get(target) or b"", image.get(f"{target}.part") or b""]
        return saved.crc not in [zlib.crc32(each[: saved.length]) for each in found if len(each) >= saved.length]

    target = "daily/2026-01-06_daily.csv"
    begin = tmp_path / "begin"
    open_shards(begin).append([reading(0), reading(30)])
    traces = killed_everywhere(tmp_path, do, lambda root: shutil.copytree(begin, root, dirs_exist_ok=True))
    for killed_at, trace in enumerate(traces):
        disks = islice(trace.disks(), killed_at, None)
        assert not any(leads(image) for disk in disks for image in disk.images(random.Random(0), 0))
