"""Rules 3 to 7 of the store: appending, parts, redelivery, repair and labels of days."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import accumulate, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import files
from pipeline import rows as rows_module
from pipeline.errors import ChangedPartError
from pipeline.reading import Answer, Reading
from pipeline.schema import Schema, decode_schema
from tests import dumps
from tests.parts import open_shards, reading, stored
from tests.watching import watch


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "shards").glob("20*"))


def fail_once(monkeypatch: pytest.MonkeyPatch, name: str, *, code: int = errno.EIO, skip: int = 0) -> Callable[[], int]:
    """Let the call number `skip` of a function of `os` fail; gives how often it was called."""
    real, calls = getattr(os, name), [0]

    def failing(*arguments: object) -> object:
        calls[0] += 1
        if calls[0] == skip + 1:
            raise OSError(code, "injected")
        return real(*arguments)

    monkeypatch.setattr(os, name, failing)
    return lambda: calls[0]


def shaped(at_s: float, shape: tuple[int, str], value: int | None = None) -> Reading:
    return reading(at_s, value, calculations=shape[0], letters=shape[1])


def watch_writes(monkeypatch: pytest.MonkeyPatch) -> dict[int, bytes]:
    """What is written from now on, by offset."""
    written: dict[int, bytes] = {}
    real = os.pwrite

    def writing(descriptor: int, data: bytes, offset: int) -> int:
        written[offset] = bytes(data)
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", writing)
    return written


def test_readings_come_back_whole_from_the_shard_of_their_day(tmp_path: Path) -> None:
    readings = [reading(30 * i) for i in range(5)]
    open_shards(tmp_path).append(readings)
    assert stored(tmp_path) == readings
    assert names(tmp_path) == ["2026-01-05.csv"]


@pytest.mark.parametrize("name", dumps.NAMES)
def test_real_answer_comes_back_from_its_line_and_its_schema(tmp_path: Path, name: str) -> None:
    first = replace(reading(), answer=dumps.load(name))
    open_shards(tmp_path).append([first])
    assert stored(tmp_path) == [first]
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    (resource,) = package["resources"]
    assert resource["path"] == ["2026-01-05.csv"]
    schema = decode_schema((tmp_path / "shards" / resource["schema"]).read_bytes())
    with (tmp_path / "shards" / "2026-01-05.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    raws = {s.name: round(float(row[s.name]) * s.divisor) for s in schema.sensors}
    assert list(raws.values()) == [*first.answer.calculations, *first.answer.parameters, *first.answer.visibilities]


def test_reading_goes_to_its_local_day_not_to_its_utc_day(tmp_path: Path) -> None:
    before, after = reading(11 * 3600 + 3599), reading(12 * 3600)
    open_shards(tmp_path).append([before, after])
    assert after.time.date() == date(2026, 1, 5)
    assert names(tmp_path) == ["2026-01-05.csv", "2026-01-06.csv"]
    assert stored(tmp_path) == [before, after]


def test_same_reading_twice_is_stored_once(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0), reading(30), reading(30)])
    shards.append([reading(0), reading(30)])
    open_shards(tmp_path).append([reading(0), reading(30), reading(60)])
    assert stored(tmp_path) == [reading(0), reading(30), reading(60)]


def test_queue_that_gives_back_acknowledged_readings_of_days_ago_doubles_none(tmp_path: Path) -> None:
    old = [reading(-3 * 86400 + 30 * i) for i in range(3)]
    open_shards(tmp_path).append([*old, *(reading(30 * i) for i in range(3))])
    open_shards(tmp_path).append(old)
    assert len(stored(tmp_path)) == 6


def test_redelivery_is_known_in_a_compressed_part_too(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0)])
    plain = tmp_path / "shards" / "2026-01-05.csv"
    (tmp_path / "shards" / "2026-01-05.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    open_shards(tmp_path).append([reading(0), reading(30)])
    assert stored(tmp_path) == [reading(0), reading(30)]
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv.gz"]


def test_clock_set_back_by_an_hour_loses_and_doubles_nothing(tmp_path: Path) -> None:
    before = [reading(30 * i, i) for i in range(120)]
    after = [reading(30 * i, 1000 + i) for i in range(240)]
    shards = open_shards(tmp_path)
    shards.append(before)
    shards.append(after)
    open_shards(tmp_path).append([*before, *after])
    found = stored(tmp_path)
    assert [r.answer for r in sorted(found, key=lambda r: r.answer.parameters[0])] == [
        r.answer for r in [*before, *after]
    ]
    assert sum(r.time_ms % 1000 == 1 for r in found) == 120
    assert [r.time_ms for r in found] == sorted({r.time_ms for r in found})
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]


def test_clock_that_stands_renders_each_answer_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[object] = []
    real = rows_module._padded

    def counting(answer: Answer, counts: tuple[int, int, int]) -> tuple[int | None, ...]:
        rendered.append(answer)
        return real(answer, counts)

    monkeypatch.setattr(rows_module, "_padded", counting)
    shards = open_shards(tmp_path)
    shards.append([reading(0, value) for value in range(1, 60)])
    found = stored(tmp_path)
    assert [one.answer.parameters[0] for one in found] == list(range(1, 60))
    assert {b.time_ms - a.time_ms for a, b in pairwise(found)} == {1}
    assert len(rendered) == 59


def test_columns_that_change_and_change_back_share_two_parts(tmp_path: Path) -> None:
    short, long = (140, "V3.78"), (150, "V3.90")
    readings = [shaped(30 * i, long if i % 4 >= 2 else short) for i in range(12)]
    shards = open_shards(tmp_path)
    for one in readings:
        shards.append([one])
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]
    assert stored(tmp_path) == readings


def test_new_firmware_with_the_same_columns_begins_a_part_of_its_own(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, letters="V3.78"), reading(30, letters="V3.90")])
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    firmware = {
        path: json.loads((tmp_path / "shards" / resource["schema"]).read_text())["firmware"]
        for resource in package["resources"]
        for path in resource["path"]
    }
    assert firmware == {"2026-01-05.csv": "V3.78", "2026-01-05.2.csv": "V3.90"}


def test_shorter_answer_of_the_same_controller_leaves_its_missing_cells_empty(tmp_path: Path) -> None:
    readings = [reading(0, calculations=150), reading(30, calculations=140)]
    open_shards(tmp_path).append(readings)
    assert names(tmp_path) == ["2026-01-05.csv"]
    assert stored(tmp_path) == readings


def test_part_number_is_never_used_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, letters="V1.0"), reading(30, letters="V2.0"), reading(60, letters="V3.0")])
    (tmp_path / "shards" / "2026-01-05.2.csv").unlink()
    open_shards(tmp_path).append([reading(90, letters="V4.0")])
    assert names(tmp_path) == ["2026-01-05.3.csv", "2026-01-05.4.csv", "2026-01-05.csv"]


def test_changed_time_zone_moves_no_stored_reading(tmp_path: Path) -> None:
    berlin = [reading(11 * 3600 + 30 * i) for i in range(240)]
    tokyo = [reading(13 * 3600 + 30 * i, zone=ZoneInfo("Asia/Tokyo")) for i in range(10)]
    open_shards(tmp_path).append(berlin)
    content = (tmp_path / "shards" / "2026-01-05.csv").read_bytes()
    open_shards(tmp_path).append(tokyo)
    assert (tmp_path / "shards" / "2026-01-05.csv").read_bytes() == content
    assert stored(tmp_path) == [*berlin, *tokyo]


@pytest.mark.parametrize("tail", [b"2026-01-05T11:0", b"\0" * 4096, b"2026-01-05T11:05:00.000Z,x\n", b"\n\n"])
def test_bad_tail_is_quarantined_and_cut(tmp_path: Path, tail: bytes) -> None:
    open_shards(tmp_path).append([reading(0), reading(30)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    whole = part.read_bytes()
    part.write_bytes(whole + tail)
    shards = open_shards(tmp_path)
    assert part.read_bytes() == whole
    assert [p.read_bytes() for p in (tmp_path / "quarantine").iterdir()] == [tail]
    shards.append([reading(60)])
    assert stored(tmp_path) == [reading(0), reading(30), reading(60)]


def test_bad_line_in_front_of_good_ones_is_copied_and_passed_over(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(30 * i) for i in range(4)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    lines = part.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    part.write_bytes(b"".join(lines))
    open_shards(tmp_path).append([reading(120)])
    assert part.read_bytes().splitlines(keepends=True)[:-1] == lines
    assert [p.read_bytes() for p in (tmp_path / "quarantine").iterdir()] == [lines[2]]
    assert stored(tmp_path) == [reading(0), reading(60), reading(90), reading(120)]


@pytest.mark.parametrize("damage", ["zeros", "short"])
def test_torn_header_is_mended_from_the_schema(tmp_path: Path, damage: str) -> None:
    open_shards(tmp_path).append([reading(0), reading(30)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    whole = part.read_bytes()
    part.write_bytes(b"\0" * 100 + whole[100:] if damage == "zeros" else whole[:50])
    shards = open_shards(tmp_path)
    header = Schema.of(reading(0).answer).header
    assert part.read_bytes() == (whole if damage == "zeros" else header)
    shards.append([reading(60)])
    assert stored(tmp_path) == ([reading(0), reading(30), reading(60)] if damage == "zeros" else [reading(60)])
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_lost_package_file_is_made_anew_from_the_headers(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0)])
    (tmp_path / "shards" / "datapackage.json").write_bytes(b"garbage")
    open_shards(tmp_path).append([reading(30)])
    assert names(tmp_path) == ["2026-01-05.csv"]
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_part_whose_schema_nobody_knows_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    foreign = tmp_path / "shards" / "2026-01-05.csv"
    foreign.write_bytes(b"time,what\n2026-01-05T11:00:00.000Z,1\n")
    open_shards(tmp_path).append([reading(0)])
    assert foreign.read_bytes() == b"time,what\n2026-01-05T11:00:00.000Z,1\n"
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]
    assert [r.answer for r in stored(tmp_path)] == [reading(0).answer]


def test_compressed_part_that_is_damaged_does_not_stop_the_writer(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0)])
    plain = tmp_path / "shards" / "2026-01-05.csv"
    (tmp_path / "shards" / "2026-01-05.csv.gz").write_bytes(gzip.compress(plain.read_bytes())[:-9])
    plain.unlink()
    open_shards(tmp_path).append([reading(30)])
    assert stored(tmp_path) == [reading(0), reading(30)]


@pytest.mark.parametrize(("call", "skip"), [("pwrite", 2), ("fsync", 5), ("replace", 2)])
def test_part_that_could_not_be_begun_leaves_nothing_and_gets_its_number_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, skip: int
) -> None:
    shards = open_shards(tmp_path)
    with monkeypatch.context() as patched:
        fail_once(patched, call, code=errno.ENOSPC, skip=skip)
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(0)])
    assert not names(tmp_path)
    assert not list((tmp_path / "shards").glob(files.TEMPORARY.format("*")))
    shards.append([reading(0)])
    assert names(tmp_path) == ["2026-01-05.csv"]


def test_schema_that_could_not_be_registered_does_not_take_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = open_shards(tmp_path)
    with monkeypatch.context() as patched:
        fail_once(patched, "pwrite", code=errno.ENOSPC, skip=1)
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(0)])
    shards.append([reading(0)])
    assert names(tmp_path) == ["2026-01-05.csv"]


def test_part_whose_name_may_not_be_durable_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = open_shards(tmp_path)
    with monkeypatch.context() as patched:
        real = files.sync_folder
        patched.setattr(files, "sync_folder", lambda folder: fail_with_part(folder, real))
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(0)])
    shards.append([reading(0), reading(-30)])
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]


def fail_with_part(folder: Path, real: Callable[[Path], None]) -> None:
    if list(folder.glob("20*")):
        raise OSError(errno.EIO, "injected")
    real(folder)


def test_leftover_in_quarantine_is_removed_at_start(tmp_path: Path) -> None:
    leftover = tmp_path / "quarantine" / files.TEMPORARY.format("2026-01-05.csv-tail-9.bin")
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    open_shards(tmp_path)
    assert not leftover.exists()


def test_leftover_of_a_file_being_published_is_removed_at_start(tmp_path: Path) -> None:
    open_shards(tmp_path)
    leftover = tmp_path / "shards" / files.TEMPORARY.format("2026-01-05.csv")
    leftover.write_bytes(b"half")
    open_shards(tmp_path)
    assert not leftover.exists()


def test_part_comes_to_life_by_rename_with_its_schema_durable_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = open_shards(tmp_path)
    steps = watch(monkeypatch)
    shards.append([reading(0)])
    (schema,) = (tmp_path / "shards").glob("schema-*.json")
    order = [schema.name, "datapackage.json", "2026-01-05.csv"]
    assert [name for what, name in steps if what == "rename"] == order
    for name in order:
        at = steps.index(("rename", name))
        assert steps[at - 1 : at + 2] == [("sync", f".{name}.tmp"), ("rename", name), ("sync", "shards")]
    assert steps[-2:] == [("write", "2026-01-05.csv"), ("sync", "2026-01-05.csv")]


def test_bad_tail_is_kept_durably_before_it_is_cut_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append([reading(0)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    part.write_bytes(part.read_bytes() + b"2026-01-05T11:0")
    steps = watch(monkeypatch)
    open_shards(tmp_path)
    (kept,) = (tmp_path / "quarantine").iterdir()
    ending = [("rename", kept.name), ("sync", "quarantine"), ("cut", part.name), ("sync", part.name)]
    assert steps[-4:] == ending


def test_writer_waits_while_a_day_is_closed(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    writing = threading.Thread(target=shards.append, args=([reading(30)],))
    with shards.closed(reading(0).day):
        writing.start()
        writing.join(0.5)
        assert writing.is_alive()
        assert stored(tmp_path) == [reading(0)]
    writing.join(9)
    assert stored(tmp_path) == [reading(0), reading(30)]


@pytest.mark.parametrize(("call", "code"), [("pwrite", errno.ENOSPC), ("pwrite", errno.EIO), ("fsync", errno.EIO)])
def test_failed_write_or_fsync_is_cut_back_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    cuts: list[int] = []
    real = os.ftruncate

    def cutting(descriptor: int, end: int) -> None:
        cuts.append(end)
        real(descriptor, end)

    monkeypatch.setattr(os, "ftruncate", cutting)
    end = (tmp_path / "shards" / "2026-01-05.csv").stat().st_size
    fail_once(monkeypatch, call, code=code)
    shards.append([reading(30)])
    assert cuts == [end]
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_row_found_and_written_again_outlives_an_fsync_that_drops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shards(tmp_path).append([reading(0)])
    shards = open_shards(tmp_path)
    part = tmp_path / "shards" / "2026-01-05.csv"
    header = part.read_bytes().index(b"\n") + 1
    real, dropped = os.fsync, [False]

    def dropping(descriptor: int) -> None:
        if not dropped[0] and os.path.samestat(os.fstat(descriptor), part.stat()):
            dropped[0] = True
            os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size - header), header)
            raise OSError(errno.EIO, "injected")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", dropping)
    shards.append([reading(0), reading(30)])
    assert dropped[0]
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_short_writes_leave_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, bytes(data)[: max(1, len(data) // 3)], at))
    open_shards(tmp_path).append([reading(0), reading(30)])
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_short_write_on_a_full_disk_leaves_nothing_of_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    whole, real, left = part.read_bytes(), os.pwrite, [100]

    def filling(descriptor: int, data: bytes, offset: int) -> int:
        if not left[0]:
            left[0] = 100  # the cut gives them back
            raise OSError(errno.ENOSPC, "injected")
        written = real(descriptor, bytes(data)[: left[0]], offset)
        left[0] -= written
        return written

    monkeypatch.setattr(os, "pwrite", filling)
    with pytest.raises(OSError, match="injected"):
        shards.append([reading(30)])
    left[0] = 10**9
    shards.append([reading(30)])
    assert part.read_bytes().startswith(whole)
    assert stored(tmp_path) == [reading(0), reading(30)]
    # It was ours: no damage that anybody found.
    assert not (tmp_path / "quarantine").exists()


def test_rows_whose_fsync_failed_are_never_taken_for_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    real, calls = os.fsync, [0]

    def failing(descriptor: int) -> None:
        # The write's fsync fails, that of the cut works, that of the second write fails again.
        calls[0] += 1
        if calls[0] in {1, 3}:
            raise OSError(errno.EIO, "injected")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(30)])
    written = watch_writes(monkeypatch)
    end = (tmp_path / "shards" / "2026-01-05.csv").read_bytes().index(b"2026-01-05T11:00:30")
    shards.append([reading(30)])
    assert list(written) == [end]
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_redelivered_rows_found_after_a_restart_are_written_and_fsynced_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shards(tmp_path).append([reading(0), reading(30), reading(60)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    content = part.read_bytes()
    shards = open_shards(tmp_path)
    written = watch_writes(monkeypatch)
    shards.append([reading(30), reading(60)])
    begin = content.index(b"2026-01-05T11:00:30")
    assert written == {begin: content[begin:]}
    written.clear()
    shards.append([reading(30), reading(60)])
    assert written == {}
    assert part.read_bytes() == content


def test_batch_over_midnight_that_dies_between_two_fsyncs_is_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [reading(12 * 3600 + 30 * i) for i in range(-2, 3)]
    shards = open_shards(tmp_path)
    shards.append([reading(12 * 3600 - 120), reading(12 * 3600 + 3600)])
    # The first day's part is made durable, the second's is not: its write and its second try fail.
    real, calls = os.fsync, [0]

    def failing(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] > 1:
            raise OSError(errno.EIO, "injected")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="injected"):
            shards.append(batch)
    open_shards(tmp_path).append(batch)
    times = [r.time_ms for r in stored(tmp_path)]
    assert len(times) == len(set(times)) == 7


def test_part_that_another_hand_changed_is_looked_at_anew(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    part.write_bytes(part.read_bytes() + b"a person's note\n")
    with pytest.raises(Exception, match="where the writer left"):
        shards.append([reading(30)])
    shards.append([reading(30)])
    assert stored(tmp_path) == [reading(0), reading(30)]


def test_part_that_vanished_begins_anew(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    (tmp_path / "shards" / "2026-01-05.csv").unlink()
    with pytest.raises(FileNotFoundError):
        shards.append([reading(30)])
    shards.append([reading(30)])
    assert stored(tmp_path) == [reading(30)]


def test_more_days_in_one_batch_than_stay_open_are_all_stored(tmp_path: Path) -> None:
    readings = [reading(43200 * i) for i in range(20)]
    open_shards(tmp_path).append(readings)
    assert stored(tmp_path) == readings


moments = st.integers(-200_000, 200_000)
shapes = st.sampled_from([(140, "V1"), (150, "V1"), (140, "V2")])
batches = st.lists(st.lists(st.tuples(moments, st.integers(0, 3), shapes), max_size=5), max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches, st.data())
def test_whatever_comes_in_whatever_order_is_stored_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[int, int, tuple[int, str]]]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("store")
    sent: list[Reading] = []
    shards = open_shards(folder)
    for batch in rows:
        readings = [shaped(at, shape, value) for at, value, shape in batch]
        shards.append(readings)
        sent += readings
        if data.draw(st.booleans()):
            shards = open_shards(folder)
            shards.append(readings)
    found = stored(folder)
    assert [r.time_ms for r in found] == sorted({r.time_ms for r in found})
    distinct = {(r.time_ms, r.answer) for r in sent}
    assert sorted((r.answer for r in found), key=repr) == sorted((answer for _, answer in distinct), key=repr)


@settings(max_examples=60)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=300), st.booleans())
def test_whatever_is_written_into_a_part_the_rows_it_did_not_touch_survive(
    tmp_path_factory: pytest.TempPathFactory, at: int, garbage: bytes, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("store")
    readings = [reading(30 * i) for i in range(8)]
    open_shards(folder).append(readings)
    part = folder / "shards" / "2026-01-05.csv"
    content = part.read_bytes()
    at = at % len(content)
    part.write_bytes(content[:at] if cut else content[:at] + garbage + content[at + len(garbage) :])
    header = len(Schema.of(readings[0].answer).header)
    ends = list(accumulate(len(line) for line in content.splitlines(keepends=True)))
    last = len(content) if cut else at + len(garbage)
    # A row stands between two line ends: where the one before it is gone, it is no line of its own any more.
    untouched = [r for r, before, end in zip(readings, ends, ends[1:], strict=False) if end <= at or before - 1 >= last]
    open_shards(folder).append([reading(900)])
    found = stored(folder)
    if at >= header or not cut:
        assert [r for r in found if r in untouched] == untouched
    assert found[-1] == reading(900)


# ---- what other hands do to files ---------------------------------------------------------------------------------


def test_part_that_was_born_again_is_not_cut_at_the_end_of_the_lost_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(30 * i) for i in range(3)])
    (tmp_path / "shards" / "2026-01-05.csv").unlink()
    with pytest.raises(FileNotFoundError):
        shards.append([reading(90)])
    later = [reading(120 + 30 * i) for i in range(20)]
    shards.append(later)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _always_fails)
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(3 * 86_400)])
    shards.append([reading(900)])
    assert stored(tmp_path) == [*later, reading(900)]


def _always_fails(*_: object) -> None:
    raise OSError(errno.EIO, "injected")


def test_number_of_a_part_that_was_deleted_is_not_used_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0), reading(86_400)])
    (tmp_path / "shards" / "2026-01-05.csv").unlink()
    open_shards(tmp_path).append([reading(30)])
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-06.csv"]


@pytest.mark.parametrize("edit", ["longer", "windows line ends", "byte order mark"])
def test_nothing_that_another_hand_left_in_a_part_is_cut_without_a_copy(tmp_path: Path, edit: str) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(30 * i) for i in range(6)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    content = part.read_bytes()
    if edit == "longer":
        changed = content.replace(b"2026-01-05T11:00:30", b"a remark 2026-01-05T11:00:30")
    elif edit == "windows line ends":
        changed = content.replace(b"\n", b"\r\n")
    else:
        changed = b"\xef\xbb\xbf" + content
    part.write_bytes(changed)
    with pytest.raises(ChangedPartError):
        shards.append([reading(180)])
    shards.append([reading(180)])
    kept = b"".join(p.read_bytes() for p in [*sorted((tmp_path / "shards").glob("2*")), *_quarantined(tmp_path)])
    for line in changed.splitlines():
        assert line.rstrip() in kept
    assert stored(tmp_path)[-1] == reading(180)
    if edit == "longer":
        assert stored(tmp_path) == [reading(30 * i) for i in (0, 2, 3, 4, 5, 6)]


def _quarantined(folder: Path) -> list[Path]:
    return sorted((folder / "quarantine").glob("*")) if (folder / "quarantine").exists() else []


def test_sound_header_counts_more_than_a_package_file_that_says_otherwise(tmp_path: Path) -> None:
    first, second = [reading(0), reading(30)], [reading(60, calculations=150), reading(90, calculations=150)]
    open_shards(tmp_path).append([*first, *second])
    package = tmp_path / "shards" / "datapackage.json"
    text = package.read_text()
    swapped = text.replace('"2026-01-05.csv"', '"X"').replace('"2026-01-05.2.csv"', '"2026-01-05.csv"')
    package.write_text(swapped.replace('"X"', '"2026-01-05.2.csv"'))
    before = {p.name: p.read_bytes() for p in (tmp_path / "shards").glob("2*")}
    open_shards(tmp_path).append([reading(120)])
    assert all((tmp_path / "shards" / name).read_bytes().startswith(content) for name, content in before.items())
    assert stored(tmp_path) == [*first, *second, reading(120)]


@pytest.mark.parametrize("damage", [b'"scale": 0.5', b'"scale": 0.0', b"", b"garbage"])
def test_damaged_schema_file_is_not_believed_and_is_mended_by_the_next_reading(tmp_path: Path, damage: bytes) -> None:
    open_shards(tmp_path).append([reading(0), reading(30)])
    (schema,) = (tmp_path / "shards").glob("schema-*.json")
    whole = schema.read_bytes()
    schema.write_bytes(whole.replace(b'"scale": 0.1', damage) if damage.startswith(b'"') else damage)
    for _ in range(3):
        open_shards(tmp_path).append([reading(60)])
    assert schema.read_bytes() == whole
    assert stored(tmp_path) == [reading(0), reading(30), reading(60)]
    assert len(names(tmp_path)) <= 2


def test_damaged_compressed_part_without_an_entry_stops_nobody(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0), reading(86_400)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    part.with_name("2026-01-05.csv.gz").write_bytes(gzip.compress(part.read_bytes())[:40])
    part.unlink()
    (tmp_path / "shards" / "datapackage.json").unlink()
    open_shards(tmp_path).append([reading(30)])
    assert stored(tmp_path) == [reading(30), reading(86_400)]
    assert _quarantined(tmp_path) == []


def test_rows_in_front_of_the_damage_of_a_compressed_part_are_still_known(tmp_path: Path) -> None:
    rows = [reading(30 * i) for i in range(400)]
    open_shards(tmp_path).append(rows)
    part = tmp_path / "shards" / "2026-01-05.csv"
    part.with_name("2026-01-05.csv.gz").write_bytes(gzip.compress(part.read_bytes())[:-8])
    part.unlink()
    assert stored(tmp_path) == rows
    open_shards(tmp_path).append(rows[:5])
    assert names(tmp_path) == ["2026-01-05.csv.gz"]


def test_folder_with_a_shard_s_name_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "shards" / "2026-01-05.csv").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        open_shards(tmp_path).append([reading(0)])
    (tmp_path / "shards" / "2026-01-05.csv").rmdir()
    (tmp_path / "shards" / "2026-01-04.csv").mkdir(parents=True)
    open_shards(tmp_path).append([reading(0)])
    assert stored(tmp_path) == [reading(0)]


def test_part_that_may_not_be_written_is_sealed_and_a_new_one_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    real = os.open

    def opening(path: Path | str, flags: int, *rest: int, **more: int) -> int:
        if str(path).endswith("/2026-01-05.csv") and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "injected", str(path))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", opening)
    with pytest.raises(PermissionError):
        shards.append([reading(30)])
    shards.append([reading(30)])
    shards.append([reading(0), reading(30), reading(60)])
    assert names(tmp_path) == ["2026-01-05.2.csv", "2026-01-05.csv"]
    assert stored(tmp_path) == [reading(0), reading(30), reading(60)]


def test_bad_piece_is_told_of_once_however_often_it_is_met(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append([reading(30 * i) for i in range(4)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    lines = part.read_bytes().splitlines(keepends=True)
    lines[2] = b"torn\n"
    part.write_bytes(b"".join(lines))
    for _ in range(4):
        open_shards(tmp_path)
    assert [r.message for r in caplog.records].count("bad line passed over") == 1


def test_write_that_keeps_failing_logs_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shards = open_shards(tmp_path)
    monkeypatch.setattr(os, "pwrite", _always_fails)
    for _ in range(3):
        with pytest.raises(OSError, match="injected"):
            shards.append([reading(0)])
    assert caplog.records == []


def test_check_leaves_what_another_thread_publishes(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append([reading(0)])
    target = tmp_path / "shards" / "2026-01-04.csv.gz"
    with files.beside(target) as temporary:
        temporary.write_bytes(b"compressed")
        shards.check()
        temporary.replace(target)
    assert target.read_bytes() == b"compressed"
