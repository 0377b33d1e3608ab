"""What goes and what stays: retention, compression and rule 11 of the store."""

from __future__ import annotations

import errno
import gzip
import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import log_part
from pipeline.catalog import Catalog
from pipeline.quarantine import Quarantine
from pipeline.shard import Shards
from stages.retain import Retain
from tests.logged import log_day, log_row
from tests.parts import BERLIN, NOON, TurnedClock, open_shards, reading, stored
from tests.rollups import make_all, make_rollup

DAY = 86_400
TODAY = date(2026, 1, 5)


def make_retain(
    folder: Path,
    clock: TurnedClock,
    *,
    csv_days: int = 0,
    shard_days: int = 0,
    compress_days: int = 0,
    needed_from: date | None = None,
) -> Retain:
    catalog = Catalog(folder / "shards")
    shards = Shards(folder / "shards", catalog, Quarantine(folder / "quarantine"))
    return Retain(
        folder / "shards",
        {kind: folder / kind for kind in ("daily", "weekly")},
        csv_retention_days=csv_days,
        shard_retention_days=shard_days,
        compress_after_days=compress_days,
        zone=BERLIN,
        clock=clock,
        closed=shards.closed,
        renew=catalog.renew,
        needed_from=lambda: needed_from,
    )


def shard_days(folder: Path, count: int) -> None:
    """A reading at noon of so many days up to today."""
    open_shards(folder).append([reading(-DAY * i) for i in reversed(range(count))])


def days(folder: Path) -> list[str]:
    return sorted(p.name.partition(".csv")[0] for p in (folder / "shards").glob("20*"))


def told(caplog: pytest.LogCaptureFixture, what: str) -> list[dict[str, int]]:
    return [record.facts for record in caplog.records if record.message == what]  # type: ignore[attr-defined]


def test_old_daily_and_weekly_files_are_deleted_with_a_line_that_counts_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shard_days(tmp_path, 6)
    clock = TurnedClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    make_all(make_rollup(tmp_path, clock=clock))
    before = {p: p.stat().st_size for kind in ("daily", "weekly") for p in (tmp_path / kind).glob("*.csv")}
    caplog.set_level(logging.INFO)
    make_retain(tmp_path, clock, csv_days=1).step()
    left = {p for kind in ("daily", "weekly") for p in (tmp_path / kind).glob("*.csv*")}
    # Ages count from 3 January, the third newest day with a shard.
    gone = [p for p in before if p not in left]
    assert sorted({p.name[:10] for p in gone}) == ["2026-01-01", "2026-01-02"]
    assert told(caplog, "old files deleted") == [{"files": 4, "bytes_freed": sum(before[p] for p in gone)}]
    assert all(p.name.endswith((".csv", ".checkpoint")) for p in left)
    assert len(left) == 2 * (len(before) - 4)


def test_retention_of_zero_keeps_for_ever(tmp_path: Path) -> None:
    shard_days(tmp_path, 20)
    clock = TurnedClock(NOON + timedelta(days=4000))
    make_retain(tmp_path, clock).step()
    assert len(days(tmp_path)) == 20


def test_old_shards_go_three_days_at_the_start_and_three_in_a_day(tmp_path: Path) -> None:
    shard_days(tmp_path, 30)
    clock = TurnedClock()
    retain = make_retain(tmp_path, clock, shard_days=10)
    for _ in range(5):
        retain.step()
    assert len(days(tmp_path)) == 27
    clock.turn(DAY - 1)
    retain.step()
    assert len(days(tmp_path)) == 27
    clock.turn(1)
    retain.step()
    assert len(days(tmp_path)) == 24
    assert days(tmp_path)[0] == str(TODAY - timedelta(days=23))
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    assert [name.removesuffix(".csv") for name in package["resources"][0]["path"]] == days(tmp_path)


def test_only_shards_past_their_retention_go(tmp_path: Path) -> None:
    shard_days(tmp_path, 14)
    clock = TurnedClock()
    retain = make_retain(tmp_path, clock, shard_days=10)
    for _ in range(4):
        retain.step()
        clock.turn(DAY)
    # Ages count from the third newest day with a shard, however long none was written since.
    assert days(tmp_path)[0] == str(TODAY - timedelta(days=11))


def test_shards_of_days_to_come_make_nothing_older(tmp_path: Path) -> None:
    shard_days(tmp_path, 6)
    open_shards(tmp_path).append([reading(DAY * (3650 + i)) for i in range(3)])
    before = days(tmp_path)
    make_retain(tmp_path, TurnedClock(), shard_days=10, compress_days=10).step()
    assert days(tmp_path) == before
    assert not list((tmp_path / "shards").glob("*.gz"))


@pytest.mark.no_cover  # a whole night in steps
def test_clock_ten_years_ahead_for_an_hour_over_midnight_deletes_nothing(tmp_path: Path) -> None:
    shard_days(tmp_path, 40)
    clock = TurnedClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    make_all(make_rollup(tmp_path, clock=clock))
    before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    ahead = (datetime(2036, 1, 5, 22, 30, tzinfo=UTC) - datetime(2026, 1, 5, 12, tzinfo=UTC)).total_seconds()
    clock.step(ahead)
    wrong = (datetime(2036, 1, 5, 22, 30, tzinfo=UTC) - NOON).total_seconds()
    open_shards(tmp_path).append([reading(wrong + 30 * i) for i in range(120)])
    retain = make_retain(tmp_path, clock, csv_days=30, shard_days=30)
    for _ in range(3):
        retain.step()
        clock.turn(1200)
    clock.step(-ahead)
    retain.step()
    gone = [path for path in before if not path.exists()]
    # What was past its retention before the step may go; nothing else.
    limit = str(date(2026, 1, 3) - timedelta(days=30))
    assert all(path.name[:10] <= limit for path in gone), gone
    assert {"2036-01-05", "2036-01-06"} <= set(days(tmp_path))


def test_fewer_than_three_days_of_shards_delete_and_compress_nothing(tmp_path: Path) -> None:
    shard_days(tmp_path, 2)
    clock = TurnedClock(NOON + timedelta(days=400))
    make_retain(tmp_path, clock, csv_days=1, shard_days=1, compress_days=1).step()
    assert days(tmp_path) == ["2026-01-04", "2026-01-05"]
    assert not list((tmp_path / "shards").glob("*.gz"))


def test_shard_that_an_unfinished_job_needs_stays(tmp_path: Path) -> None:
    shard_days(tmp_path, 14)
    make_retain(tmp_path, TurnedClock(), shard_days=5, compress_days=1, needed_from=date(2025, 12, 24)).step()
    assert days(tmp_path)[0] == "2025-12-24"
    assert [p.name for p in (tmp_path / "shards").glob("*.gz")] == []


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    shard_days(tmp_path, 14)
    foreign = ["notes.txt", "2020-01-01.csv.bak", "2020-01-01_daily.csv", "20200101.csv", "2020-01-01.xlsx"]
    for name in foreign:
        (tmp_path / "shards" / name).write_text("mine")
    (tmp_path / "daily").mkdir()
    (tmp_path / "daily" / "2020-01-01.csv").write_text("mine")
    (tmp_path / "daily" / "my_2020-01-01_daily.csv").write_text("mine")
    retain = make_retain(tmp_path, TurnedClock(), csv_days=1, shard_days=1, compress_days=1)
    retain.step()
    assert all((tmp_path / "shards" / name).read_text() == "mine" for name in foreign)
    assert len(list((tmp_path / "daily").iterdir())) == 2


def test_old_shards_are_compressed_and_still_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shard_days(tmp_path, 8)
    before = stored(tmp_path)
    caplog.set_level(logging.INFO)
    make_retain(tmp_path, TurnedClock(), compress_days=2).step()
    packed = sorted(p.name for p in (tmp_path / "shards").glob("*.gz"))
    assert packed == [f"{d}.csv.gz" for d in ("2025-12-29", "2025-12-30", "2025-12-31", "2026-01-01")]
    assert stored(tmp_path) == before
    (line,) = told(caplog, "old files compressed")
    assert line["files"] == 4
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    assert package["resources"][0]["path"][:4] == packed


def test_late_reading_of_a_compressed_day_begins_a_new_part(tmp_path: Path) -> None:
    shard_days(tmp_path, 8)
    make_retain(tmp_path, TurnedClock(), compress_days=2).step()
    open_shards(tmp_path).append([reading(-7 * DAY + 30)])
    assert (tmp_path / "shards" / "2025-12-29.2.csv").exists()
    assert stored(tmp_path)[1] == reading(-7 * DAY + 30)


def test_dailies_are_compressed_by_age_and_weeklies_once_a_newer_one_stands_for_a_day(tmp_path: Path) -> None:
    shard_days(tmp_path, 12)
    clock = TurnedClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    rollup = make_rollup(tmp_path, clock=clock)
    make_all(rollup)
    retain = make_retain(tmp_path, clock, compress_days=3)
    retain.step()
    plain = {kind: sorted(p.name[:10] for p in (tmp_path / kind).glob("*.csv")) for kind in ("daily", "weekly")}
    assert plain["weekly"] == ["2026-01-04", "2026-01-05"]
    assert plain["daily"] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"]
    clock.turn(DAY)
    retain.step()
    assert [p.name[:10] for p in (tmp_path / "weekly").glob("*.csv")] == ["2026-01-05"]
    assert rollup.due(datetime(2026, 1, 5, 12, tzinfo=UTC)) == []
    content = gzip.decompress((tmp_path / "weekly" / "2026-01-04_weekly.csv.gz").read_bytes())
    assert content.startswith(b"time,local_time,source,")


def test_weekly_of_a_clock_ten_years_ahead_does_not_take_the_newest_one_s_place(tmp_path: Path) -> None:
    shard_days(tmp_path, 12)
    clock = TurnedClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    clock.step(3652 * DAY)
    open_shards(tmp_path).append([reading(3651 * DAY), reading(3652 * DAY)])
    make_all(make_rollup(tmp_path, clock=clock))
    clock.step(-3652 * DAY)
    make_all(make_rollup(tmp_path, clock=clock))
    make_retain(tmp_path, clock, compress_days=3).step()
    plain = sorted(p.name[:10] for p in (tmp_path / "weekly").glob("*.csv"))
    assert plain == ["2026-01-04", "2026-01-05", "2036-01-05"]


def test_files_that_no_shards_could_make_again_go_three_days_at_the_start_and_three_in_a_day(tmp_path: Path) -> None:
    shard_days(tmp_path, 4)
    clock = TurnedClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    make_all(make_rollup(tmp_path, clock=clock))
    made = [path.name for path in sorted((tmp_path / "daily").glob("*.csv"))]
    single = [f"2025-12-{day}_daily.csv" for day in range(10, 30)]
    for name in single:
        (tmp_path / "daily" / name).write_text("made of shards that are gone")
    retain = make_retain(tmp_path, clock, csv_days=1)
    for at_most in (3, 3, 6):
        for _ in range(3):
            retain.step()
        assert sorted(p.name for p in (tmp_path / "daily").glob("*.csv")) == [*single[at_most:], *made]
        clock.turn(DAY / 2)
    # What can be made again goes at once.
    clock.step(3 * DAY)
    open_shards(tmp_path).append([reading(DAY * i) for i in (1, 2, 3, 4)])
    retain.step()
    assert sorted(p.name for p in (tmp_path / "daily").glob("*.csv")) == single[6:]


def test_compressing_after_zero_days_is_never(tmp_path: Path) -> None:
    shard_days(tmp_path, 30)
    make_retain(tmp_path, TurnedClock()).step()
    assert not list((tmp_path / "shards").glob("*.gz"))


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("options", [{"compress_days": 2}, {"shard_days": 2}])
def test_package_file_that_could_not_be_renewed_is_renewed_at_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, int], *, restarted: bool
) -> None:
    shard_days(tmp_path, 5)
    retain = make_retain(tmp_path, TurnedClock(), **options)  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(retain, "_renew", failing)
        with pytest.raises(OSError, match="injected"):
            retain.step()
    if restarted:
        retain = make_retain(tmp_path, TurnedClock(), **options)  # type: ignore[arg-type]
    retain.step()
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    assert package["resources"][0]["path"] == sorted(p.name for p in (tmp_path / "shards").glob("20*"))


def failing() -> None:
    raise OSError(errno.ENOSPC, "injected")


def log_part_of(folder: Path, days_ago: int) -> str:
    """A log part of a day; gives the day."""
    row = log_row(-DAY * days_ago + 600)
    day = TODAY - timedelta(days=days_ago)
    log_part.publish(folder / "shards", Catalog(folder / "shards"), log_day(row, day=day), {"accepted": 1})
    return str(day)


def test_log_part_goes_with_its_day_and_what_tells_of_it_too(tmp_path: Path) -> None:
    shard_days(tmp_path, 6)
    old, kept = log_part_of(tmp_path, 5), log_part_of(tmp_path, 1)
    make_retain(tmp_path, TurnedClock(), shard_days=2).step()
    names = {path.name for path in (tmp_path / "shards").iterdir()}
    assert not {name for name in names if name.startswith(old)}
    assert {f"{kept}.csv", f"{kept}.log.csv", f"{kept}.log.json"} <= names
    package = json.loads((tmp_path / "shards" / "datapackage.json").read_text())
    assert [path for each in package["resources"] for path in each["path"] if ".log." in path] == [f"{kept}.log.csv"]


@pytest.mark.parametrize("left", ["csv", "json"])
def test_day_of_which_only_a_log_part_or_word_of_it_is_left_goes_too(tmp_path: Path, left: str) -> None:
    shard_days(tmp_path, 3)
    old = log_part_of(tmp_path, 9)
    (tmp_path / "shards" / f"{old}.log.{'json' if left == 'csv' else 'csv'}").unlink()
    make_retain(tmp_path, TurnedClock(), shard_days=5).step()
    assert not list((tmp_path / "shards").glob(f"{old}*"))


def test_log_part_counts_for_no_age(tmp_path: Path) -> None:
    shard_days(tmp_path, 2)
    log_part_of(tmp_path, 30)
    make_retain(tmp_path, TurnedClock(), shard_days=1, compress_days=1).step()
    assert len(days(tmp_path)) == 4
    assert not list((tmp_path / "shards").glob("*.gz"))


def test_word_of_a_log_part_goes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard_days(tmp_path, 4)
    old = log_part_of(tmp_path, 3)
    gone: list[str] = []
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        gone.append(path.name)
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    make_retain(tmp_path, TurnedClock(), shard_days=1).step()
    assert gone == [f"{old}.log.json", f"{old}.csv", f"{old}.log.csv"]


def test_log_part_is_compressed_with_its_day_and_published_plain_again(tmp_path: Path) -> None:
    shard_days(tmp_path, 6)
    old = log_part_of(tmp_path, 5)
    shards = tmp_path / "shards"
    make_retain(tmp_path, TurnedClock(), compress_days=2).step()
    assert {path.name for path in shards.glob(f"{old}*")} == {
        f"{old}.csv.gz",
        f"{old}.log.csv.gz",
        f"{old}.log.json",
    }
    one = log_part.load(shards, Catalog(shards), date.fromisoformat(old))
    assert one == log_day(log_row(-DAY * 5 + 600), day=date.fromisoformat(old))
    log_part.publish(shards, Catalog(shards), log_day(log_row(-DAY * 5 + 60), day=date.fromisoformat(old)))
    assert {path.name for path in shards.glob(f"{old}.log.csv*")} == {f"{old}.log.csv"}
