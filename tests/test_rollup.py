"""Daily and weekly files: content, naming, what is due, crash and resume, failures."""

from __future__ import annotations

import csv
import errno
import gzip
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import checkpoint, rollup_file
from pipeline.clock import parse_utc_text, to_ms
from pipeline.compress import compress
from pipeline.errors import LoggerError, RollupSpaceError, RollupStoppedError
from pipeline.reading import Reading
from pipeline.schema import Schema
from pipeline.window import Window
from stages import rollup as rollup_stage
from stages.rollup import IDLE_S, Rollup
from tests.parts import NOON, TurnedClock, open_shards, reading, stored
from tests.rollups import NOW, day, make_all, make_rollup, published, times_in
from tests.running import ROOT

HOUR, DAY = 3600, 86_400


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def times(content: bytes) -> list[int]:
    return [parse_utc_text(row["time"]) for row in rows(content)]


def hourly(first_day: int, last_day: int) -> list[Reading]:
    """A reading each hour from so many days before 5 January, noon, to so many after."""
    return [reading(hour * HOUR, hour % 1000) for hour in range(first_day * 24, last_day * 24)]


def at(moment: datetime, value: int = 0) -> Reading:
    """A reading of any moment."""
    return reading((moment - NOON).total_seconds(), value)


def test_daily_holds_the_day_and_weekly_the_week_before_seven_o_clock(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-9, 1))
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    files = published(tmp_path)
    daily, weekly = (rollup.window(day("2026-01-06"), kind) for kind in ("daily", "weekly"))
    assert times(files["2026-01-06_daily.csv"]) == times_in(tmp_path, daily)
    assert times(files["2026-01-06_weekly.csv"]) == times_in(tmp_path, weekly)
    assert (len(times_in(tmp_path, daily)), len(times_in(tmp_path, weekly))) == (24, 168)
    assert files["2026-01-06_daily.csv"].startswith(Schema.of(reading(0).answer).header)
    assert sorted(files) == sorted(
        f"2026-01-{d:02d}_{kind}.csv" for d in range(1, 7) for kind in ("daily", "weekly")
    ) + [
        "2025-12-28_daily.csv",
        "2025-12-28_weekly.csv",
    ][:0] or all(name in files for name in ("2025-12-28_daily.csv", "2025-12-28_weekly.csv"))


@pytest.mark.parametrize(
    ("ends", "daily_hours", "weekly_hours"), [("2026-03-29", 23, 167), ("2026-10-25", 25, 169), ("2028-02-29", 24, 168)]
)
def test_windows_over_clock_changes_and_a_leap_day_hold_every_hour(
    tmp_path: Path, ends: str, daily_hours: int, weekly_hours: int
) -> None:
    last = datetime.fromisoformat(f"{ends}T12:00+00:00")
    start = (last - NOON).total_seconds() - 9 * DAY
    open_shards(tmp_path).append([reading(start + hour * HOUR) for hour in range(9 * 24)])
    rollup = make_rollup(tmp_path, now=last)
    for kind, hours in (("daily", daily_hours), ("weekly", weekly_hours)):
        rollup.build(rollup.window(day(ends), kind))
        content = published(tmp_path)[f"{ends}_{kind}.csv"]
        assert len(times(content)) == hours
        assert times(content) == times_in(tmp_path, rollup.window(day(ends), kind))


def test_same_shards_give_the_same_bytes(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-2, 1))
    make_all(make_rollup(tmp_path))
    first = published(tmp_path)
    for kind in ("daily", "weekly"):
        shutil.rmtree(tmp_path / kind)
    make_all(make_rollup(tmp_path))
    assert published(tmp_path) == first


def test_window_with_part_of_its_data_is_built(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0)])
    make_all(make_rollup(tmp_path))
    assert {name: len(rows(content)) for name, content in published(tmp_path).items()} == {
        "2026-01-06_daily.csv": 1,
        "2026-01-06_weekly.csv": 1,
    }


def test_empty_window_makes_no_file_and_one_warning_that_names_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_shards(tmp_path).append([reading(-3 * DAY), reading(0)])
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    make_all(rollup)
    empty = [str(r.facts["window"]) for r in caplog.records if "no readings" in r.message]  # type: ignore[attr-defined]
    assert [text.partition(" (")[0] for text in empty] == ["daily 2026-01-04", "daily 2026-01-05"]
    assert "2026-01-04_daily.csv" not in published(tmp_path)
    assert "2026-01-04_weekly.csv" in published(tmp_path)
    with pytest.raises(LoggerError, match="no readings in daily 2026-01-04"):
        rollup.build(rollup.window(day("2026-01-04"), "daily"))


def test_nothing_is_made_before_seven_and_all_of_it_after(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    clock = TurnedClock(datetime(2026, 1, 6, 5, 59, 59, tzinfo=UTC))
    rollup = make_rollup(tmp_path, clock=clock)
    make_all(rollup)
    assert published(tmp_path) == {}
    clock.turn(1)
    make_all(rollup)
    assert len(published(tmp_path)) == 2


def test_window_waits_for_readings_that_are_not_in_the_shards_yet(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    rollup = make_rollup(tmp_path)
    rollup._oldest_waiting = lambda: to_ms(NOW) - 3 * HOUR * 1000
    assert rollup.due(NOW) == []
    rollup._oldest_waiting = lambda: to_ms(NOW) - HOUR * 500
    assert len(rollup.due(NOW)) == 2


def test_file_is_made_under_the_lock_of_derived_files(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    rollup = make_rollup(tmp_path)
    counts: list[int] = []

    @contextmanager
    def lock() -> Iterator[None]:
        counts.append(len(published(tmp_path)))
        yield
        counts.append(len(published(tmp_path)))

    rollup._lock = lock
    make_all(rollup)
    assert counts == [0, 1, 1, 2, 2, 2]


def test_readings_are_found_by_their_time_whatever_day_their_part_is_named_after(tmp_path: Path) -> None:
    # A day before the UTC date: where the clock was set to another zone.
    early = reading(-3 * HOUR, zone=ZoneInfo("Etc/GMT+12"))
    assert str(early.day) == "2026-01-04"
    open_shards(tmp_path).append([early, reading(0)])
    make_all(make_rollup(tmp_path))
    daily = published(tmp_path)["2026-01-06_daily.csv"].decode().splitlines()
    assert [line[:24] for line in daily[1:]] == ["2026-01-05T08:00:00.000Z", "2026-01-05T11:00:00.000Z"]


def test_three_days_off_are_made_up_oldest_first(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-4, 1))
    rollup = make_rollup(tmp_path)
    names = [one.name for one in rollup.due(NOW)]
    assert names == [f"2026-01-{d:02d}_{kind}.csv" for d in range(2, 7) for kind in ("daily", "weekly")]
    make_all(rollup)
    assert sorted(names) == sorted(published(tmp_path))


def test_days_before_the_retention_are_not_made_up(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-9, 1))
    assert {one.day for one in make_rollup(tmp_path, retention_days=2).due(NOW)} == {
        day("2026-01-05"),
        day("2026-01-06"),
    }


def test_readings_that_reach_the_shard_only_later_are_in_the_file(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(hourly(0, 1))
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    late = [reading(10 * HOUR + 60, 7), reading(2 * HOUR + 1, 8)]
    shards.append(late)
    assert [one.name for one in rollup.due(NOW)] == ["2026-01-06_daily.csv", "2026-01-06_weekly.csv"]
    make_all(rollup)
    content = published(tmp_path)["2026-01-06_daily.csv"]
    assert {one.time_ms for one in late} <= set(times(content))
    assert times(content) == sorted(times(content)) == times_in(tmp_path, rollup.window(day("2026-01-06"), "daily"))
    assert rollup.due(NOW) == []


def test_growth_behind_the_end_and_compression_make_nothing_due(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(hourly(0, 1))
    make_all(make_rollup(tmp_path))
    shards.append([reading(DAY + HOUR * i) for i in range(3)])
    assert make_rollup(tmp_path).due(NOW) == []
    for path in (tmp_path / "shards").glob("*.csv"):
        compress(path)
    assert make_rollup(tmp_path).due(NOW) == []


def test_file_that_was_deleted_or_whose_record_is_lost_is_made_again(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    make_all(make_rollup(tmp_path))
    first = published(tmp_path)
    (tmp_path / "daily" / "2026-01-06_daily.csv").unlink()
    checkpoint.path_of(tmp_path / "weekly" / "2026-01-06_weekly.csv").write_bytes(b"garbage")
    assert len(make_rollup(tmp_path).due(NOW)) == 2
    make_all(make_rollup(tmp_path))
    assert published(tmp_path) == first


def test_schemas_of_a_day_are_joined_by_name_with_missing_cells_empty(tmp_path: Path) -> None:
    few, many = (140, "V3.78"), (150, "V3.90")
    readings = [
        reading(HOUR * i, i, calculations=shape[0], letters=shape[1])
        for i, shape in enumerate([few, few, many, many, few, many])
    ]
    open_shards(tmp_path).append(readings)
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    content = published(tmp_path)["2026-01-06_daily.csv"]
    found = rows(content)
    names = content.partition(b"\n")[0].decode().split(",")
    first = Schema.of(readings[0].answer).header.decode().rstrip().split(",")
    assert names[: len(first)] == first
    assert len(names) == len(first) + 10
    assert [int(row["ID_Transfert_LuxNet"]) for row in found] == [*range(6)]
    assert [row[names[-1]] == "" for row in found] == [True, True, False, False, True, False]
    assert times(content) == [one.time_ms for one in readings]
    assert all(len(row) == len(names) for row in found)


def test_compressed_shards_are_read_as_they_are(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-9, 1))
    make_all(make_rollup(tmp_path))
    first = published(tmp_path)
    for path in (tmp_path / "shards").glob("*.csv"):
        compress(path)
    for kind in ("daily", "weekly"):
        shutil.rmtree(tmp_path / kind)
    make_all(make_rollup(tmp_path))
    assert published(tmp_path) == first


def test_shard_compressed_while_a_rollup_reads_it_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shards(tmp_path).append(hourly(-9, 1))
    make_all(make_rollup(tmp_path))
    first = published(tmp_path)
    for kind in ("daily", "weekly"):
        shutil.rmtree(tmp_path / kind)
    waiting = sorted((tmp_path / "shards").glob("*.csv"))
    rollup = make_rollup(tmp_path)
    real = rollup_file.RollupFile._copied

    def copying(self: rollup_file.RollupFile, source: object) -> Iterator[bytes]:
        pieces = real(self, source)  # type: ignore[arg-type]
        for piece in pieces:
            if waiting:
                compress(waiting.pop())
            yield piece

    monkeypatch.setattr(rollup_file.RollupFile, "_copied", copying)
    while rollup.step(0) != rollup_stage.IDLE_S:
        pass
    assert not waiting
    assert published(tmp_path) == first


def test_bad_line_in_a_shard_is_not_copied(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    part = tmp_path / "shards" / "2026-01-05.csv"
    lines = part.read_bytes().splitlines(keepends=True)
    for number, damage in ((3, lines[3][:50] + b"\n"), (5, b"\0" * (len(lines[5]) - 1) + b"\n")):
        lines[number] = damage
    part.write_bytes(b"".join(lines))
    open_shards(tmp_path).append([reading(23 * HOUR + 1)])
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    content = published(tmp_path)["2026-01-06_daily.csv"]
    assert times(content) == times_in(tmp_path, rollup.window(day("2026-01-06"), "daily"))
    assert len(times(content)) == 17
    assert b"\0" not in content


def test_nul_bytes_that_nobody_saw_before_are_not_copied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    part = tmp_path / "shards" / "2026-01-05.csv"
    content = bytearray(part.read_bytes())
    at = content.index(b"2026-01-05T16:00") + 400
    content[at : at + 20] = bytes(20)
    part.write_bytes(content)
    make_all(make_rollup(tmp_path))
    assert len(rows(published(tmp_path)["2026-01-06_daily.csv"])) == 18
    assert "copied line by line" in caplog.text


def _torn(line: bytes) -> bytes:
    return line[:60] + line[90:]


def _digit_to_letter(line: bytes) -> bytes:
    return line[:60] + b"q" + line[61:]


def _end_gone(line: bytes) -> bytes:
    return line[:-1] + b"\x8a"


@pytest.mark.parametrize("damage", [_torn, _digit_to_letter, _end_gone])
@pytest.mark.parametrize("chunk", [700, 1 << 20])
def test_line_that_rotted_since_the_start_is_in_no_daily_and_no_weekly(
    tmp_path: Path, damage: Callable[[bytes], bytes], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup_file, "_CHUNK", chunk)
    open_shards(tmp_path).append(hourly(-2, 1))
    part = tmp_path / "shards" / "2026-01-05.csv"
    lines = part.read_bytes().splitlines(keepends=True)
    lines[15] = damage(lines[15])
    part.write_bytes(b"".join(lines))
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    for kind in ("daily", "weekly"):
        content = published(tmp_path)[f"2026-01-06_{kind}.csv"]
        assert times(content) == times_in(tmp_path, rollup.window(day("2026-01-06"), kind))
    assert rollup.step(0) == IDLE_S


def test_compressed_part_that_ends_too_early_gives_whole_lines_only(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    part = tmp_path / "shards" / "2026-01-05.csv"
    rollup = make_rollup(tmp_path)
    compress(part)
    packed = part.with_name(part.name + ".gz")
    rollup.due(NOW)
    packed.write_bytes(packed.read_bytes()[:-300])
    make_all(rollup)
    content = published(tmp_path)["2026-01-06_daily.csv"]
    assert times(content) == times_in(tmp_path, rollup.window(day("2026-01-06"), "daily"))


@pytest.mark.parametrize("packed", [False, True])
def test_published_file_whose_length_changed_is_made_anew(tmp_path: Path, packed: bool) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    make_all(make_rollup(tmp_path))
    target = tmp_path / "daily" / "2026-01-06_daily.csv"
    wanted = target.read_bytes()
    if packed:
        compress(target)
    stands = target.with_name(target.name + ".gz") if packed else target
    assert make_rollup(tmp_path).due(NOW) == []
    stands.write_bytes(stands.read_bytes()[:-7])
    make_all(make_rollup(tmp_path))
    assert published(tmp_path)[target.name] == wanted
    assert [path.name for path in target.parent.iterdir() if path.suffix != ".checkpoint"] == [target.name]


def test_file_that_is_no_shard_is_left_out(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    (tmp_path / "shards" / "2026-01-05.7.csv").write_bytes(b"foreign\n")
    (tmp_path / "shards" / "2026-01-04.csv.gz").write_bytes(b"\x1f\x8bgarbage")
    make_all(make_rollup(tmp_path))
    assert len(rows(published(tmp_path)["2026-01-06_daily.csv"])) == 19


# ---- crash and resume ---------------------------------------------------------------------------------------------


def killed(folder: Path, what: str, nth: int) -> bool:
    """Whether a process that makes all that is due died at its moment; otherwise it had finished before."""
    command = [sys.executable, "-m", "tests.killing", str(folder), what, str(nth)]
    done = subprocess.run(command, cwd=ROOT, timeout=9, capture_output=True, text=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0


shapes = st.sampled_from([(140, "V1"), (140, "V1"), (150, "V1"), (140, "V2")])
shard_rows = st.lists(st.tuples(st.integers(-2 * DAY, 17 * HOUR), shapes), min_size=3, max_size=10)


@pytest.mark.parametrize("what", ["pwrite", "fsync", "replace", "unlink"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.differing_executors])
@given(shard_rows, st.booleans(), st.data())
def test_kill_anywhere_then_resume_gives_the_bytes_of_an_uninterrupted_run(
    what: str, chosen: list[tuple[int, tuple[int, str]]], sort: bool, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ordered = sorted(chosen) if sort else chosen
        readings = [reading(at, calculations=shape[0], letters=shape[1]) for at, shape in ordered]
        open_shards(folder).append(readings)
        shutil.copytree(folder, folder / "whole")
        make_all(make_rollup(folder / "whole"))
        expected = published(folder / "whole")
        # Fewer than there are for certain: a file takes four renames, twice as many fsyncs, and one unlink.
        calls = {"replace": 4 * len(expected), "fsync": 8 * len(expected), "unlink": len(expected)}
        most = sum(map(len, expected.values())) if what == "pwrite" else calls[what]
        assert killed(folder, what, data.draw(st.integers(0, most - 1)))
        for path, content in published(folder).items():
            assert expected[path] == content
        make_all(make_rollup(folder))
        assert published(folder) == expected
        assert not [p for kind in ("daily", "weekly") for p in (folder / kind).iterdir() if ".part" in p.name]


def test_kill_at_every_checkpoint_is_resumed_from_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    caplog.set_level(logging.INFO)
    folders = [Path(shutil.copytree(tmp_path / "shards", tmp_path / str(n) / "shards")).parent for n in range(13)]
    make_all(make_rollup(folders[-1]))
    expected = published(folders[-1])
    resumed = 0
    # The nth rename is not made: it would publish a checkpoint, a finished file or its record.
    for nth, folder in enumerate(folders[:-1]):
        assert killed(folder, "replace", nth)
        caplog.clear()
        make_all(make_rollup(folder))
        resumed += caplog.text.count("rollup resumed")
        assert published(folder) == expected
    assert resumed >= 6


def stopped_half_way(folder: Path) -> Path:
    """A weekly file whose first steps are done; gives its part file."""
    rollup = make_rollup(folder)
    one = rollup.window(day("2026-01-06"), "weekly")
    asked = iter([False, False, True])
    sources = rollup._shelf
    sources.look()
    making = rollup_file.RollupFile(
        folder / "weekly",
        one,
        sources.sources(one),
        folder / "shards",
        logged=sources.rows,
        dirty=set(),
        reserve=0,
        stopping=lambda: next(asked),
    )
    (folder / "weekly").mkdir(exist_ok=True)
    with pytest.raises(RollupStoppedError):
        making.build()
    saved = checkpoint.load(folder / "weekly" / one.name)
    assert saved is not None
    assert (saved.steps, saved.finished) == (2, False)
    return folder / "weekly" / (one.name + rollup_file.PART_SUFFIX)


def test_checkpoint_never_leads_its_part_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    synced: dict[str, int] = {}
    real_sync, real_save = os.fsync, checkpoint.save

    def syncing(descriptor: int) -> None:
        real_sync(descriptor)
        synced[str(Path(f"/proc/self/fd/{descriptor}").readlink())] = os.fstat(descriptor).st_size

    def saving(target: Path, saved: checkpoint.Checkpoint) -> None:
        if not saved.finished:
            assert synced[str(target) + rollup_file.PART_SUFFIX] >= saved.length
        real_save(target, saved)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(checkpoint, "save", saving)
    make_all(make_rollup(tmp_path))
    assert len(published(tmp_path)) >= 10


def test_resumed_file_goes_on_where_its_checkpoint_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    part = stopped_half_way(tmp_path)
    with part.open("ab") as file:
        file.write(b"bytes that came after the checkpoint")
    saved = checkpoint.load(part.with_suffix(""))
    assert saved
    caplog.set_level(logging.INFO)
    rollup = make_rollup(tmp_path)
    lengths: list[int] = []
    rollup.build(rollup.window(day("2026-01-06"), "weekly"), lambda done, _: lengths.append(done))
    assert "rollup resumed" in caplog.text
    assert lengths[0] > saved.length > 0
    content = published(tmp_path)["2026-01-06_weekly.csv"]
    assert times(content) == times_in(tmp_path, rollup.window(day("2026-01-06"), "weekly"))


@pytest.mark.parametrize("damage", ["part changed", "part short", "part gone", "checkpoint garbage", "plan changed"])
def test_checkpoint_that_does_not_hold_is_thrown_away_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    part = stopped_half_way(tmp_path)
    if damage == "part changed":
        part.write_bytes(b"x" + part.read_bytes()[1:])
    elif damage == "part short":
        os.truncate(part, 100)
    elif damage == "part gone":
        part.unlink()
    elif damage == "checkpoint garbage":
        checkpoint.path_of(part.with_suffix("")).write_bytes(b'{"format": 1}')
    else:
        open_shards(tmp_path).append([reading(-2 * DAY + 1)])
    caplog.set_level(logging.INFO)
    rollup = make_rollup(tmp_path)
    rollup.build(rollup.window(day("2026-01-06"), "weekly"))
    assert "thrown away" in caplog.text
    content = published(tmp_path)["2026-01-06_weekly.csv"]
    assert times(content) == times_in(tmp_path, rollup.window(day("2026-01-06"), "weekly"))


def test_part_files_and_checkpoints_of_dead_jobs_are_removed_and_foreign_files_left(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    (tmp_path / "daily").mkdir()
    dead = [tmp_path / "daily" / f"2020-01-01_daily.csv{end}" for end in (".part", ".checkpoint")]
    dead.append(tmp_path / "daily" / ".2020-01-01_daily.csv.checkpoint.tmp")
    foreign = [tmp_path / "daily" / name for name in ("notes.part", "mine.csv.part", "my.csv.checkpoint")]
    for path in (*dead, *foreign):
        path.write_bytes(b"{}")
    make_all(make_rollup(tmp_path))
    assert not [path for path in dead if path.exists()]
    assert all(path.exists() for path in foreign)


@given(st.binary(max_size=80) | st.from_regex(rb'\{"format": 1, "(sources|steps)": [^}]*\}'))
def test_bytes_that_are_no_checkpoint_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ by what is wrong
        checkpoint.decode(data)


# ---- failures -----------------------------------------------------------------------------------------------------


def failing(monkeypatch: pytest.MonkeyPatch, times_: int) -> list[int]:
    calls = [0]
    real = rollup_file.RollupFile.build

    def build(self: rollup_file.RollupFile) -> checkpoint.Checkpoint:
        calls[0] += 1
        if calls[0] <= times_:
            raise OSError(errno.EIO, "injected")
        return real(self)

    monkeypatch.setattr(rollup_file.RollupFile, "build", build)
    return calls


def test_failure_is_tried_once_more_after_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_shards(tmp_path).append([reading(0)])
    failing(monkeypatch, 1)
    rollup = make_rollup(tmp_path)
    assert rollup.step(0) == rollup_stage.RETRY_S
    make_all(rollup)
    assert len(published(tmp_path)) == 2
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_second_failure_is_an_error_that_says_what_was_being_done_and_the_next_look_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_shards(tmp_path).append([reading(0)])
    failing(monkeypatch, 2)
    rollup = make_rollup(tmp_path)
    assert rollup.step(0) == rollup_stage.RETRY_S
    make_all(rollup)
    (error,) = (r for r in caplog.records if r.levelno >= logging.ERROR)
    assert str(error.facts["window"]).startswith("daily 2026-01-06")  # type: ignore[attr-defined]
    assert error.facts["error"].errno == errno.EIO  # type: ignore[attr-defined]
    assert not error.exc_info
    assert sorted(published(tmp_path)) == ["2026-01-06_weekly.csv"]
    make_all(rollup)
    assert len(published(tmp_path)) == 2


def test_too_little_space_is_told_before_the_start_and_the_job_waits(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0)])
    rollup = make_rollup(tmp_path, reserve=1 << 60)
    with pytest.raises(RollupSpaceError, match=r"too little space.*are needed"):
        rollup.build(rollup.window(day("2026-01-06"), "daily"))
    assert published(tmp_path) == {}
    assert not list((tmp_path / "daily").glob("*.part"))


def test_space_that_runs_out_gives_the_part_file_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    real, left = os.pwrite, [5000]

    def filling(descriptor: int, data: bytes, offset: int) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "injected")
        left[0] -= len(data)
        return real(descriptor, data, offset)

    rollup = make_rollup(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", filling)
        with pytest.raises(RollupSpaceError):
            rollup.build(rollup.window(day("2026-01-06"), "weekly"))
    assert not [p for p in (tmp_path / "weekly").iterdir() if not p.name.startswith(".")]
    make_all(rollup)
    assert "2026-01-06_weekly.csv" in published(tmp_path)


def test_stop_ends_a_rollup_between_two_chunks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    rollup = make_rollup(tmp_path)
    rollup.stop()
    assert rollup.step(0) == rollup_stage.IDLE_S
    assert published(tmp_path) == {}
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_clock_that_is_ten_years_ahead_for_an_hour_over_midnight_leaves_the_right_files_right(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(hourly(-3, 1))
    clock = TurnedClock(NOW)
    rollup = make_rollup(tmp_path, clock=clock)
    make_all(rollup)
    before = published(tmp_path)
    ahead = timedelta(days=3652, hours=15, minutes=30).total_seconds()
    clock.step(ahead)
    shards.append([reading((NOW - NOON).total_seconds() + ahead + 30 * i) for i in range(120)])
    make_all(rollup)
    clock.step(-ahead)
    make_all(rollup)
    after = published(tmp_path)
    assert {name: after[name] for name in before} == before
    assert rollup.due(NOW) == []


def test_another_csv_time_makes_files_anew_from_compressed_shards_too(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(-2, 1))
    make_all(make_rollup(tmp_path))
    for path in (tmp_path / "shards").glob("*.csv"):
        compress(path)
    rollup = make_rollup(tmp_path, csv_time=wall_time(8, 30))
    make_all(rollup)
    wanted = {one.name: times_in(tmp_path, one) for one in rollup.windows(NOW)}
    assert {name: times(content) for name, content in published(tmp_path).items() if name in wanted} == wanted


def test_clock_set_back_on_the_very_first_day_leaves_no_reading_out(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0), reading(60), reading(-6 * HOUR), reading(-5 * HOUR), reading(DAY)])
    make_all(make_rollup(tmp_path))
    assert len(times(published(tmp_path)["2026-01-05_daily.csv"])) == 1
    assert len(times(published(tmp_path)["2026-01-06_weekly.csv"])) == 4


def test_readings_of_another_zone_are_in_the_window_that_ends_before_their_day(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(0, zone=ZoneInfo("Pacific/Kiritimati")), reading(DAY)])
    make_all(make_rollup(tmp_path, csv_time=wall_time(23)))
    assert len(times(published(tmp_path)["2026-01-05_daily.csv"])) == 1


@pytest.mark.parametrize("start", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1960, 2, 28, 23, tzinfo=UTC)])
def test_clock_that_was_never_set_gets_its_files_once(tmp_path: Path, start: datetime) -> None:
    open_shards(tmp_path).append([at(start + timedelta(hours=i), i) for i in range(30)])
    rollup = make_rollup(tmp_path, now=start + timedelta(hours=32))
    for _ in range(20):
        rollup.step(0)
    assert rollup.made.total() == len(published(tmp_path)) > 2
    wanted = {one.name: times_in(tmp_path, one) for one in rollup.windows(start + timedelta(hours=32))}
    assert {name: times(content) for name, content in published(tmp_path).items()} == wanted
    assert sum(map(len, wanted.values())) > 30


@pytest.mark.no_cover  # decades of windows
def test_decades_without_a_shard_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shards(tmp_path).append([at(datetime(1970, 1, 1, tzinfo=UTC)), reading(0)])
    rollup = make_rollup(tmp_path, retention_days=0)
    looked: list[Window] = []
    monkeypatch.setattr(Rollup, "is_current", lambda _, one: looked.append(one))
    due = rollup.due(NOW)
    assert len(due) == 8 + 2
    assert len(looked) > 40_000
    looked.clear()
    assert rollup.due(NOW) == due
    assert len(looked) < 100
    open_shards(tmp_path).append([at(datetime(1999, 5, 1, 12, tzinfo=UTC))])
    assert len(rollup.due(NOW)) == len(due) + 8


def test_file_replaces_its_compressed_older_self(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(hourly(0, 1))
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    compress(tmp_path / "daily" / "2026-01-06_daily.csv")
    assert rollup.due(NOW) == []
    shards.append([reading(3 * HOUR + 1)])
    make_all(rollup)
    assert [p.name for p in (tmp_path / "daily").glob("*.csv*") if "checkpoint" not in p.name] == [
        "2026-01-06_daily.csv"
    ]
    assert len(rows(published(tmp_path)["2026-01-06_daily.csv"])) == 20


def test_real_sizes_come_back_as_they_stand_in_the_shard(tmp_path: Path) -> None:
    wide = [reading(i * HOUR, i, calculations=260) for i in range(20)]
    open_shards(tmp_path).append(wide)
    make_all(make_rollup(tmp_path))
    body = (tmp_path / "shards" / "2026-01-05.csv").read_bytes() + (tmp_path / "shards" / "2026-01-06.csv").read_bytes()
    expected = [line for line in body.splitlines() if line.startswith(b"2026")]
    assert published(tmp_path)["2026-01-06_daily.csv"].splitlines()[1:] == [
        line for line in expected if line < b"2026-01-06T06"
    ]
    assert stored(tmp_path) == wide


def test_gz_of_the_shard_holds_the_same_bytes(tmp_path: Path) -> None:
    open_shards(tmp_path).append(hourly(0, 1))
    part = tmp_path / "shards" / "2026-01-05.csv"
    content = part.read_bytes()
    freed = compress(part)
    packed = part.with_name(part.name + ".gz")
    assert gzip.decompress(packed.read_bytes()) == content
    assert freed == len(content) - packed.stat().st_size
    assert not part.exists()


# ---- what goes and what fails for long ----------------------------------------------------------------------------


def test_file_whose_shards_are_gone_stays_as_it_was(tmp_path: Path) -> None:
    shards = open_shards(tmp_path)
    shards.append(hourly(-9, 1))
    rollup = make_rollup(tmp_path)
    make_all(rollup)
    before = published(tmp_path)
    for name in ("2025-12-31", "2026-01-01", "2026-01-05"):
        (tmp_path / "shards" / f"{name}.csv").unlink()
    rollup.look()
    assert rollup.due(NOW) == []
    with pytest.raises(LoggerError, match=r"2026-01-05\.csv.*gone.*delete the file"):
        rollup.build(rollup.window(day("2026-01-06"), "daily"))
    assert published(tmp_path) == before
    (tmp_path / "daily" / "2026-01-06_daily.csv").unlink()
    rollup.build(rollup.window(day("2026-01-06"), "daily"))
    assert len(rows(published(tmp_path)["2026-01-06_daily.csv"])) == 7


def test_part_file_and_checkpoint_of_a_job_that_failed_twice_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shards(tmp_path).append(hourly(-5, 1))
    real, left = rollup_file.RollupFile._copied, [3]

    def copying(self: rollup_file.RollupFile, source: object) -> Iterator[bytes]:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.EIO, "injected")
        yield from real(self, source)  # type: ignore[arg-type]

    monkeypatch.setattr(rollup_file.RollupFile, "_copied", copying)
    rollup = make_rollup(tmp_path)
    while rollup.step(0) != rollup_stage.IDLE_S:
        pass
    assert len(list(tmp_path.glob("*ly/*.part"))) == len(list(tmp_path.glob("*ly/*.csv.checkpoint"))) - 1 > 4
    rollup._oldest_waiting = lambda: 0
    assert rollup.step(0) == rollup_stage.IDLE_S
    assert len(list(tmp_path.glob("*ly/*.part"))) > 4


def test_only_files_in_the_making_keep_shards_from_being_compressed(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(-20 * DAY), reading(-4 * DAY), reading(0)])
    rollup = make_rollup(tmp_path)
    assert rollup.due(NOW)
    assert (rollup.needed_from() or NOW.date()) < day("2025-12-17")
    make_all(rollup)
    assert rollup.needed_from() is None


def test_failure_that_lasts_is_told_once_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_shards(tmp_path).append([reading(0)])
    failing(monkeypatch, 10**6)
    clock = TurnedClock(NOW)
    rollup = make_rollup(tmp_path, clock=clock)
    for _ in range(200):
        clock.turn(rollup.step(0))
    told = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(told) <= 5
    assert told[-1].startswith("rollup still failing") or clock.monotonic() < 4600
