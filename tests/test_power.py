"""What a power cut may leave of a process that was killed before, and of the next one, which goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline import files
from pipeline.quarantine import Quarantine
from tests.chaos.disk_layer import recording
from tests.chaos.disk_trace import Killed, Trace


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
