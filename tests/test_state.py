from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import state
from pipeline.state import Vitals

FREE = 1_000_000_000


@pytest.mark.parametrize(
    ("vitals", "part"),
    [
        (Vitals(181, 30, {}, FREE), "the last reading is 181 s old, more than 180 s"),
        (Vitals(901, 300, {}, FREE), "the last reading is 901 s old, more than 900 s"),
        (Vitals(0, 30, {"writer": 181.2}, FREE), "stage writer has not moved for 181 s"),
        (Vitals(0, 30, {}, 199_000_000), "199 MB are free on the disk, fewer than 200 MB"),
    ],
)
def test_service_that_makes_no_progress_is_failing_with_the_reason(vitals: Vitals, part: str) -> None:
    assert vitals.reasons() == [part]
    assert state.verdict(vitals.reasons()) == {"status": "failing", "reasons": [part]}


@pytest.mark.parametrize("vitals", [Vitals(180, 30, {}, FREE), Vitals(900, 300, {}, 200_000_000)])
def test_service_within_its_limits_is_ok(vitals: Vitals) -> None:
    assert state.verdict(vitals.reasons()) == {"status": "ok", "reasons": []}


@pytest.mark.parametrize("durable", [True, False])
def test_document_is_published_whole_and_read_back(tmp_path: Path, durable: bool) -> None:
    state.publish(tmp_path, {"status": "ok", "pump": "Ä"}, durable=durable)
    assert state.load(tmp_path) == {"status": "ok", "pump": "Ä"}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_damaged_document_tells_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "state.json").write_bytes(damage)
    assert state.load(tmp_path) is None
    assert state.load(tmp_path / "nowhere") is None


def test_disk_tells_what_is_free_and_what_the_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(1000))
    (tmp_path / "file").write_bytes(bytes(500))
    found = state.disk(tmp_path)
    assert found["data"] == 1500
    assert 0 < found["free"] <= found["total"]
    assert json.dumps(found)
