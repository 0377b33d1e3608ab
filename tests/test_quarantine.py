"""What could not be stored as a reading is kept durably, each piece once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import quarantine
from pipeline.quarantine import Quarantine
from tests.watching import watch


def test_piece_is_fsynced_before_it_bears_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quarantine").mkdir()
    steps = watch(monkeypatch)
    kept = Quarantine(tmp_path / "quarantine").keep(quarantine.FROM_QUEUE, b"no reading")
    half = f".{kept.name}.tmp"
    assert steps == [
        ("sync", tmp_path.name),
        ("write", half),
        ("sync", half),
        ("rename", kept.name),
        ("sync", "quarantine"),
    ]
    assert kept.read_bytes() == b"no reading"


def test_same_piece_is_kept_once_and_another_one_beside_it(tmp_path: Path) -> None:
    pieces = Quarantine(tmp_path / "quarantine")
    for piece in (b"one", b"one", b"two"):
        pieces.keep(quarantine.FROM_QUEUE, piece)
    assert quarantine.count(pieces.folder, quarantine.FROM_QUEUE) == 2
    assert pieces.holds(quarantine.FROM_QUEUE, b"two")
    assert not pieces.holds(quarantine.FROM_QUEUE, b"three")
