"""The archive stage on real shards, stepped by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.part import list_parts
from stages.archive import Archiving
from tests.parts import BERLIN, NOON, TurnedClock, open_shards, reading
from tests.test_archive import HOURS, archive, expected, fill, whole


def stage(folder: Path, clock: TurnedClock, limit: date | None = None) -> Archiving:
    return Archiving(archive(folder), zone=BERLIN, clock=clock, limit=lambda: limit)


def add_all(found: Archiving) -> int:
    steps = 1
    while found.step():
        steps += 1
    return steps


def archived(folder: Path) -> list[date]:
    return archive(folder).days()


def test_day_is_archived_when_it_is_over(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    clock = TurnedClock()
    clock.turn(86_400)
    found = stage(tmp_path, clock)
    assert add_all(found) == 1
    assert archived(tmp_path) == [date(2026, 1, 5)]
    clock.turn(86_400)
    assert add_all(found) == 1
    assert archived(tmp_path) == [date(2026, 1, 5), date(2026, 1, 6)]
    assert found.due == 0


def test_day_whose_readings_wait_is_not_archived_yet(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    clock = TurnedClock()
    clock.turn(3 * 86_400)
    waiting: list[date] = [date(2026, 1, 6)]
    found = Archiving(archive(tmp_path), zone=BERLIN, clock=clock, oldest_waiting=lambda: min(waiting, default=None))
    add_all(found)
    assert archived(tmp_path) == [date(2026, 1, 5)]
    waiting.clear()
    add_all(found)
    assert len(archived(tmp_path)) == 3


def test_deleted_archive_is_made_again_newest_day_first_while_readings_come(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    readings = fill(tmp_path, 3)
    clock = TurnedClock()
    clock.turn(5 * 86_400)
    found = stage(tmp_path, clock)
    assert add_all(found) == 4
    (tmp_path / "archive" / "archive.db").unlink()
    caplog.clear()
    with caplog.at_level("INFO"):
        assert found.step()
        late = reading(5 * 86_400, 5)
        open_shards(tmp_path).append([late])
        assert archived(tmp_path) == [date(2026, 1, 8)]
        assert whole(archive(tmp_path), NOON, NOON + 200 * HOURS) == expected(
            [*readings, late], NOON, NOON + 200 * HOURS
        )
        add_all(found)
    days = [record.__dict__["facts"]["day"] for record in caplog.records if record.message == "day archived"]
    assert days == [date(2026, 1, day) for day in (8, 7, 6, 5)]


@pytest.mark.parametrize(("damage", "told"), [(b"garbage" * 1000, ["archive begun anew"]), (b"", [])])
def test_damaged_archive_is_begun_anew(
    tmp_path: Path, damage: bytes, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    readings = fill(tmp_path, 2)
    clock = TurnedClock()
    clock.turn(3 * 86_400)
    add_all(stage(tmp_path, clock))
    for path in (tmp_path / "archive").iterdir():
        path.unlink()
    (tmp_path / "archive" / "archive.db").write_bytes(damage)
    add_all(stage(tmp_path, clock))
    assert len(archived(tmp_path)) == 3
    assert [record.message for record in caplog.records] == told
    assert whole(archive(tmp_path), NOON, NOON + 72 * HOURS) == expected(readings, NOON, NOON + 72 * HOURS)


def test_days_past_the_retention_go_when_their_shards_are_gone(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    clock = TurnedClock()
    clock.turn(5 * 86_400)
    add_all(stage(tmp_path, clock))
    paths = list(list_parts(tmp_path / "shards").values())
    paths[0].unlink()
    paths[2].unlink()
    add_all(stage(tmp_path, clock, date(2026, 1, 6)))
    assert archived(tmp_path) == [date(2026, 1, day) for day in (6, 7, 8)]


def test_archive_that_cannot_be_written_is_told_once_and_made_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, 1)
    clock = TurnedClock()
    clock.turn(3 * 86_400)
    found = stage(tmp_path, clock)
    (tmp_path / "archive").rmdir()
    (tmp_path / "archive").write_bytes(b"")
    for _ in range(3):
        assert not found.step()
    (tmp_path / "archive").unlink()
    (tmp_path / "archive").mkdir()
    add_all(found)
    assert len(archived(tmp_path)) == 2
    told = [record.message for record in caplog.records]
    assert told == ["day not archived, tried again at the next look", "archive works again"]
