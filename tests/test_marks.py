from __future__ import annotations

import errno
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import files, quality, readout
from pipeline.catalog import Catalog
from pipeline.compress import compress
from pipeline.day_marks import DayMarks, Looked, decode_day
from pipeline.marks import Marks, marks_of, summary
from pipeline.part import open_part
from pipeline.quality import FALL, JUMP, RETURN, Step, Watch
from pipeline.reading import Reading
from tests import dumps, parts
from tests.parts import TurnedClock, open_shards, stored
from tests.test_docs import ROOT, blocks, rows

PAGE = ROOT / "docs" / "data-format.md"
DAY = date(2026, 1, 5)
COLUMN = "ID_WEB_Zaehler_BetrZeitVD1"


def reading(at_s: float, count: int, given: dict[int, int] | None = None, *, letters: str = "V3.88") -> Reading:
    """A reading so many seconds after noon whose compressor ran `count` seconds; `given` are calculations by index."""
    one = parts.reading(at_s, letters=letters)
    raws = [*one.answer.calculations]
    for index, raw in {56: count, **(given or {})}.items():
        raws[index] = raw
    return replace(one, answer=replace(one.answer, calculations=tuple(raws)))


def opened(folder: Path) -> Marks:
    """The folder's marks, as a new process finds them."""
    return Marks(folder / "shards", Catalog(folder / "shards"), TurnedClock())


def bring_up(folder: Path) -> Marks:
    marks = opened(folder)
    while marks.step():
        pass
    return marks


def kept(folder: Path, day: date = DAY) -> Any:
    return json.loads((folder / "shards" / "marks" / f"{day}.json").read_bytes())


def kept_steps(folder: Path, day: date = DAY) -> list[tuple[str, int, int]]:
    return [(step["mark"], step["raw"], step["previous"]) for step in kept(folder, day)["steps"]]


def fresh_files(folder: Path) -> dict[str, bytes]:
    """What the marks of a folder are when they are made of nothing but its shards."""
    with TemporaryDirectory() as other:
        shutil.copytree(folder / "shards", Path(other) / "shards", ignore=shutil.ignore_patterns("marks"))
        bring_up(Path(other))
        return all_files(Path(other))


def all_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "shards" / "marks").iterdir()}


def test_impossible_step_is_marked_beside_the_shard_which_stays_as_it_came(tmp_path: Path) -> None:
    given = [reading(0, 100), reading(30, 130), reading(60, 7), reading(90, 5_000_000)]
    open_shards(tmp_path).append(given)
    bring_up(tmp_path)
    assert stored(tmp_path) == given
    assert kept(tmp_path)["steps"] == [
        {"time": "2026-01-05T11:01:00.000Z", "column": COLUMN, "mark": "fall", "raw": 7, "previous": 130, "part": 1},
        {
            "time": "2026-01-05T11:01:30.000Z",
            "column": COLUMN,
            "mark": "jump",
            "raw": 5_000_000,
            "previous": 7,
            "part": 1,
        },
    ]


def test_steps_are_counted_by_sensor_with_their_last_time(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(i * 30, count) for i, count in enumerate((9, 3, 5_000_000, 5, 5))])
    marks = bring_up(tmp_path)
    wanted = {
        "days": 1,
        "steps": {COLUMN: {"falls": 2, "jumps": 1, "returns": 0, "last": "2026-01-05T11:01:30.000Z"}},
        "not_fitted": [],
    }
    assert marks.summary().encode() == wanted
    assert summary(tmp_path / "shards").encode() == wanted


def test_folder_without_shards_has_nothing_to_tell(tmp_path: Path) -> None:
    assert not opened(tmp_path).step()
    assert summary(tmp_path / "shards").encode() == {"days": 0, "steps": {}, "not_fitted": []}
    assert not list(tmp_path.iterdir())


def test_first_reading_of_a_day_is_compared_with_the_last_one_of_the_day_before(tmp_path: Path) -> None:
    tomorrow = date(2026, 1, 6)
    open_shards(tmp_path).append([reading(0, 100), reading(86_400, 90)])
    bring_up(tmp_path)
    assert kept_steps(tmp_path) == []
    assert kept_steps(tmp_path, tomorrow) == [("fall", 90, 100)]


def test_clock_that_is_set_back_lets_no_counter_fall(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(at_s, 1000 + at_s) for at_s in range(0, 3600, 30)])
    shards.append([reading(at_s, 4700 + at_s) for at_s in range(1815, 5400, 30)])
    bring_up(tmp_path)
    assert len(list((tmp_path / "shards").glob("2026-01-05*.csv"))) == 2
    assert kept_steps(tmp_path) == []
    assert kept(tmp_path)["readings"] == 240


def test_part_of_a_clock_set_back_is_not_what_the_part_before_went_on_from(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(600, 100), reading(300, 130), reading(330, 160)])
    bring_up(tmp_path)
    assert list(kept(tmp_path)["parts"]) == ["1", "2"]
    assert kept_steps(tmp_path) == []


def test_part_of_another_firmware_goes_on_from_the_part_before(tmp_path: Path) -> None:
    given = [reading(0, 100), reading(30, 99, letters="V3.92"), reading(60, 98)]
    open_shards(tmp_path).append(given)
    bring_up(tmp_path)
    assert [(step["part"], step["raw"], step["previous"]) for step in kept(tmp_path)["steps"]] == [
        (2, 99, 100),
        (1, 98, 100),
    ]


@given(
    st.lists(st.sampled_from((0, 1, 2, 100, 101, 3_000_000)), min_size=1, max_size=12),
    st.lists(st.sampled_from(("step", "restart", "again", "write")), max_size=12),
)
@settings(max_examples=12)
def test_each_step_is_marked_once_however_readings_come(counts: list[int], events: list[str]) -> None:
    given = [reading(i * 30, count) for i, count in enumerate(counts)]
    watch = Watch()
    wanted = [(step.mark, step.raw, step.previous) for each in given for step in watch.look(each)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        shards, marks = open_shards(folder), opened(folder)
        for i, one in enumerate(given):
            event = events[i] if i < len(events) else "write"
            shards.append([one])
            if event == "again":
                shards.append(given[max(0, i - 3) : i + 1])
            elif event == "restart":
                shards, marks = open_shards(folder), opened(folder)
            if event != "write":
                marks.step()
        while marks.step():
            pass
        counted = marks.summary().steps.get(COLUMN, Counter())
        assert counted == Counter(mark for mark, _, _ in wanted)
        found = marks_of(folder / "shards", Catalog(folder / "shards"), DAY)
        assert [(step.mark, step.raw, step.previous) for step in found.steps] == wanted
        (fresh,) = fresh_files(folder).values()
        assert decode_day(fresh) == found


def test_marks_that_were_deleted_are_the_same_when_they_are_made_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(i * 7200, 50 - i % 7, {26: 50}) for i in range(30)])
    bring_up(tmp_path)
    before = all_files(tmp_path)
    shutil.rmtree(tmp_path / "shards" / "marks")
    bring_up(tmp_path)
    assert all_files(tmp_path) == before
    assert len(before) == 3


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 400, b"[1", b'{"format": 2}', b"[[[[" * 5000])
def test_damaged_marks_are_made_again(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3)])
    bring_up(tmp_path)
    before = all_files(tmp_path)
    (tmp_path / "shards" / "marks" / "2026-01-05.json").write_bytes(damage)
    bring_up(tmp_path)
    assert all_files(tmp_path) == before
    assert "marks cannot be read and are made anew" in caplog.text


def test_marks_that_do_not_fit_their_shard_are_made_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3), reading(60, 2)])
    bring_up(tmp_path)
    part = tmp_path / "shards" / "2026-01-05.csv"
    header, first, second, third = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(header + first + third)
    bring_up(tmp_path)
    assert kept_steps(tmp_path) == [("fall", 2, 9)]
    part.write_bytes(header + first)
    bring_up(tmp_path)
    assert kept_steps(tmp_path) == []
    assert kept(tmp_path)["readings"] == 1
    part.unlink()
    (tmp_path / "shards" / "2026-01-05.2.csv").write_bytes(header + second)
    bring_up(tmp_path)
    assert list(kept(tmp_path)["parts"]) == ["2"]


def test_row_that_is_not_where_the_look_ended_makes_the_marks_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3), reading(60, 2), reading(90, 1)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    header, first, second, third, fourth = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(header + first + second)
    bring_up(tmp_path)
    longer = second.replace(b",3,", b",333333,", 1)
    part.write_bytes(header + first + longer + third + fourth)
    bring_up(tmp_path)
    assert kept_steps(tmp_path) == [("fall", 2, 333_333), ("fall", 1, 2)]


def test_part_that_cannot_be_read_is_told_and_keeps_no_other_day_from_its_marks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3), reading(86_400, 4)])
    marks = opened(tmp_path)

    def failing(path: Path) -> BinaryIO:
        if path.name == "2026-01-06.csv":
            raise OSError(errno.EIO, "Input/output error", str(path))
        return open_part(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readout, "open_part", failing)
        marks.step()
        marks.step()
    assert caplog.text.count("marks not brought up to date") == 1
    assert list(all_files(tmp_path)) == ["2026-01-05.json"]
    marks.step()
    assert sorted(all_files(tmp_path)) == ["2026-01-05.json", "2026-01-06.json"]


def test_half_a_file_and_marks_of_a_day_without_shards_are_removed(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9)])
    bring_up(tmp_path)
    (tmp_path / "shards" / "marks" / ".2026-01-04.json.tmp").write_bytes(b"{")
    (tmp_path / "shards" / "marks" / "2026-01-03.json").write_bytes(b"{")
    bring_up(tmp_path)
    assert list(all_files(tmp_path)) == ["2026-01-05.json"]


def test_bad_line_is_passed_over(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3), reading(60, 2)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    header, first, second, third = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(header + first + second.replace(b"live", b"\0\0\0\0") + third + first[:50])
    bring_up(tmp_path)
    assert kept_steps(tmp_path) == [("fall", 2, 9)]


def test_compressing_a_day_changes_nothing_of_its_marks(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3), reading(86_400, 20)])
    marks = bring_up(tmp_path)
    before = all_files(tmp_path)
    compress(tmp_path / "shards" / "2026-01-05.csv")
    marks.step()
    bring_up(tmp_path)
    assert all_files(tmp_path) == before == fresh_files(tmp_path)


def test_marks_of_a_day_go_with_its_shards(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(86_400, 3)])
    marks = bring_up(tmp_path)
    (tmp_path / "shards" / "2026-01-05.csv").unlink()
    marks.step()
    assert list(all_files(tmp_path)) == ["2026-01-06.json"]
    assert marks.summary().days == 1


def day_of(temperature: int, *, hours: int = 13, index: int = 26, begin_s: int = -43_200) -> list[Reading]:
    """Readings every six minutes whose calculation `index` is constant."""
    return [reading(begin_s + i * 360, i, {index: temperature}) for i in range(hours * 10 + 1)]


@pytest.mark.parametrize("raw", sorted(quality.UNFITTED))
def test_sensor_that_reads_such_a_constant_all_day_is_not_fitted(tmp_path: Path, raw: int) -> None:
    open_shards(tmp_path).append(day_of(raw))
    assert "ID_WEB_Temperatur_TSK" in bring_up(tmp_path).summary().not_fitted
    assert kept(tmp_path)["constants"]["ID_WEB_Temperatur_TSK"] == raw
    assert "ID_WEB_Temperatur_TSK" in kept(tmp_path)["not_fitted"]


def test_sensor_with_another_constant_or_one_other_value_is_fitted(tmp_path: Path) -> None:
    open_shards(tmp_path).append(
        [reading(-43_200 + i * 360, i, {15: 51, 26: 51 if i == 70 else 50}) for i in range(131)]
    )
    found = bring_up(tmp_path).summary().not_fitted
    assert not {"ID_WEB_Temperatur_TSK", "ID_WEB_Temperatur_TA"} & set(found)


def test_outdoor_temperature_that_stands_at_zero_for_a_night_is_fitted(tmp_path: Path) -> None:
    open_shards(tmp_path).append(day_of(0, index=15, hours=11))
    assert not bring_up(tmp_path).summary().not_fitted
    assert kept(tmp_path)["not_fitted"] == []
    assert "ID_WEB_Temperatur_TA" in kept(tmp_path)["constants"]


def test_a_few_readings_over_a_day_do_not_tell_what_is_fitted(tmp_path: Path) -> None:
    open_shards(tmp_path).append(day_of(50)[::2])
    assert not bring_up(tmp_path).summary().not_fitted


def test_day_that_is_too_short_goes_by_the_day_before(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(day_of(50))
    shards.append([reading(43_260, 500, {26: 50}), reading(43_290, 530, {26: 50})])
    marks = bring_up(tmp_path)
    assert "ID_WEB_Temperatur_TSK" in marks.summary().not_fitted
    shards.append([reading(43_320, 560, {26: 87})])
    marks.step()
    assert "ID_WEB_Temperatur_TSK" not in marks.summary().not_fitted
    assert marks.summary() == bring_up(tmp_path).summary() == summary(tmp_path / "shards")


@pytest.mark.parametrize("name", dumps.NAMES)
def test_day_of_a_real_controller_tells_what_is_not_fitted(tmp_path: Path, name: str) -> None:
    answer = dumps.load(name)
    given = [replace(parts.reading(i * 360 - 43_200), answer=answer) for i in range(121)]
    open_shards(tmp_path).append(given)
    found = bring_up(tmp_path).summary()
    assert not found.steps
    assert list(found.not_fitted) == sorted(quality.unfitted(answer))


def test_full_disk_is_told_once_and_made_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(30, 3)])
    marks = opened(tmp_path)
    caplog.set_level(logging.WARNING)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_at", full)
        assert not marks.step()
        assert not marks.step()
    assert caplog.text.count("marks not brought up to date") == 1
    assert marks.summary().steps[COLUMN][FALL] == 1
    marks.step()
    assert kept_steps(tmp_path) == [("fall", 3, 9)]
    assert "marks works again" in caplog.text


def test_newest_day_is_published_for_news_and_at_last_when_it_is_over(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0, 100), reading(30, 110)])
    marks = bring_up(tmp_path)
    shards.append([reading(60, 120)])
    marks.step()
    assert kept(tmp_path)["readings"] == 2
    assert marks.summary() == summary(tmp_path / "shards")
    shards.append([reading(86_400, 120)])
    marks.step()
    assert kept(tmp_path)["readings"] == 3
    shards.append([reading(86_430 + i, 120 + i) for i in range(100)])
    marks.step()
    assert kept(tmp_path, date(2026, 1, 6))["readings"] == 101


def test_marks_of_a_day_can_be_asked_for_up_to_its_last_row_and_change_no_file(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0, 100), reading(30, 110)])
    bring_up(tmp_path)
    shards.append([reading(60, 7)])
    before = all_files(tmp_path)
    found = marks_of(tmp_path / "shards", Catalog(tmp_path / "shards"), DAY)
    assert [(step.mark, step.raw) for step in found.steps] == [(FALL, 7)]
    assert all_files(tmp_path) == before
    assert not marks_of(tmp_path / "shards", Catalog(tmp_path / "shards"), date(2020, 1, 1)).steps


def test_step_reads_nothing_where_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append([reading(0, 9), reading(86_400, 10)])
    bring_up(tmp_path)

    def fail(*_: object) -> None:
        raise AssertionError("a part was read")

    monkeypatch.setattr("pipeline.readout.follow", fail)
    bring_up(tmp_path)


def test_many_days_are_made_up_in_several_steps_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append([reading(day * 86_400 + i, i) for day in range(3) for i in range(4)])
    monkeypatch.setattr("pipeline.marks._READINGS_AT_ONCE", 5)
    marks = opened(tmp_path)
    assert marks.step()
    assert sorted(all_files(tmp_path)) == ["2026-01-06.json", "2026-01-07.json"]
    assert not marks.step()
    assert len(all_files(tmp_path)) == 3


@pytest.mark.parametrize("when", ["never", "before", "after"])
def test_stop_ends_a_look_early_and_the_next_start_goes_on(tmp_path: Path, when: str) -> None:
    open_shards(tmp_path).append([reading(i, 100 - i) for i in range(50)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    if when == "before":
        compress(part)
    marks = opened(tmp_path)
    marks.stop()
    assert marks.step()
    if when == "after":
        compress(part)
    bring_up(tmp_path)
    assert kept(tmp_path)["readings"] == 50
    assert len(kept(tmp_path)["steps"]) == 49


def test_marks_come_back_from_their_file() -> None:
    steps = (Step(1_767_610_800_000, COLUMN, FALL, 1, 2), Step(1_767_610_830_000, COLUMN, JUMP, 2_000_000, 1))
    marks = DayMarks(DAY, 7, 1, 9, {"ID_WEB_Temperatur_TSK": 50}, {1: Looked(60, 90, steps), 3: Looked(1, 2)})
    assert decode_day(marks.encode()) == marks


KILLED = """
import os, signal, sys
from pathlib import Path
from tests import test_marks
what, folder = sys.argv[1], Path(sys.argv[2])
owner = Path if what == "replace" else os
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
marks = test_marks.opened(folder)
setattr(owner, what, die)
marks.step()
"""


@pytest.mark.parametrize("what", ["pwrite", "fsync", "replace"])
def test_kill_while_marks_are_published_costs_none_and_doubles_none(tmp_path: Path, what: str) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0, 9), reading(30, 3)])
    bring_up(tmp_path)
    shards.append([reading(60, 5), reading(90, 4)])
    before = all_files(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, what, str(tmp_path)], cwd=Path(__file__).parents[1])
    assert killed.returncode == -signal.SIGKILL
    assert before.items() <= all_files(tmp_path).items()
    bring_up(tmp_path)
    assert all_files(tmp_path) == fresh_files(tmp_path)
    assert kept_steps(tmp_path) == [("fall", 3, 9), ("fall", 4, 5)]


def test_data_format_page_names_what_marks_hold(tmp_path: Path) -> None:
    open_shards(tmp_path).append(
        [reading(0, 9), reading(30, 0), reading(60, 9_000_000), reading(90, 0), reading(120, 9)]
    )
    bring_up(tmp_path)
    told = {name for cell, _ in rows(PAGE, "member of marks") for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(kept(tmp_path))
    told = {name for cell, _ in rows(PAGE, "member of a step") for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(kept(tmp_path)["steps"][0])
    assert [cell.strip("`") for cell, _ in rows(PAGE, "mark")] == [FALL, JUMP, RETURN]


def test_example_leaves_marked_steps_out_of_what_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heat = (87_727, 87_737, 0, 0, 87_747, 214_836_111, 214_836_112, 87_750, 87_755)
    given = [parts.reading(i * 30, calculations=160) for i in range(len(heat))]
    for i, raw in enumerate(heat):
        raws = (*given[i].answer.calculations[:151], raw, *given[i].answer.calculations[152:])
        given[i] = replace(given[i], answer=replace(given[i].answer, calculations=raws))
    # The example reads two days.
    given.append(parts.reading(86_400, calculations=160))
    open_shards(tmp_path / "data").append(given)
    bring_up(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    reads, *_, sums = blocks(PAGE, "python")
    exec(compile(f"{reads}\n{sums}", PAGE.name, "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "1.6 kWh"
