"""What a power cut may leave of a process that was killed before, and of the next one, which goes on."""

from __future__ import annotations

import gzip
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

from pipeline import checkpoint, files
from pipeline.compress import compress
from pipeline.quarantine import Quarantine
from tests.chaos.disk_image import Disk, Image
from tests.chaos.disk_layer import recording
from tests.chaos.disk_trace import Killed, Trace
from tests.parts import open_shards, reading
from tests.rollups import make_rollup


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
