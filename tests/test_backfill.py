"""The stage that fills gaps, against the simulated controller's web server, real shards and a real gap book."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.clock import from_ms, to_ms
from pipeline.gap import LOGGER_OFF, PUMP_SILENT, Gap
from tests.filling import HOUSE, bench, log_rows
from tests.parts import open_shards
from tests.test_log_import import live

#: The log is written at even hours; four and a half hours of readings, two of them missing.
BEGIN = datetime(2026, 1, 5, 7, 30, 11, tzinfo=UTC)
OFF, ON = datetime(2026, 1, 5, 9, 0, 11, tzinfo=UTC), datetime(2026, 1, 5, 11, 0, 11, tzinfo=UTC)
#: Records of those two hours, but for the one within half a minute of the reading behind them.
ROWS = 119
GAP = Gap(to_ms(OFF - timedelta(seconds=30)), to_ms(ON), 240, 240, LOGGER_OFF)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    source = HOUSE.answer_at
    end = datetime(2026, 1, 5, 12, 0, 11, tzinfo=UTC)
    open_shards(tmp_path).append([*live(source, BEGIN, OFF), *live(source, ON, end)])
    return tmp_path


@pytest.mark.no_cover  # whole logs are made
def test_gap_is_filled_as_soon_as_a_log_reaches_beyond_it(filled: Path) -> None:
    with bench(filled, now=ON) as one:
        one.turn(ON + timedelta(minutes=1))
        assert one.log.requests == 0
        one.book.add([GAP])
        one.turn(ON + timedelta(minutes=2))
        # Written at ten: it has the first of the two hours.
        assert (one.log.requests, one.rows()) == (1, 60)
        (half,) = one.book.gaps()
        assert (half.filled, half.source) == (122, "log")
        one.turn(datetime(2026, 1, 5, 12, 2, tzinfo=UTC))
        assert one.log.requests == 1
        one.turn(datetime(2026, 1, 5, 12, 3, tzinfo=UTC))
        assert (one.log.requests, one.rows()) == (2, ROWS)
        assert one.book.gaps() == [replace(GAP, filled=240, source="log")]
        one.turn(datetime(2026, 1, 6, 1, 0, tzinfo=UTC), by_s=60)
        assert one.log.requests == 2
        assert set(one.log.paths) == {"GET /NewProc"}


def test_rows_have_what_the_pump_had_and_the_rest_is_reported(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC), fault="lies") as one:
        one.book.add([GAP])
        one.stage.step(0)
    for row, found in log_rows(filled):
        wanted = HOUSE.answer_at(from_ms(row.time_ms)).calculations
        assert found == {index: wanted[index] for index in found}
    shards = filled / "shards"
    report = json.loads((shards / "2026-01-05.log.json").read_text())["report"]
    refused = [each for each in report["fields"] if not each["accepted"]]
    assert [each["why"].partition(":")[0] for each in refused] == ["says something else than the pump"]
    assert report["log"]["source"] == one.log.url


@pytest.mark.no_cover  # whole logs are made
def test_old_gap_is_never_fetched_for_and_a_new_one_only_where_a_log_can_tell_of_it(filled: Path) -> None:
    old = Gap(to_ms(OFF - timedelta(days=4)), to_ms(OFF - timedelta(days=3)), 2880, 2880, LOGGER_OFF)
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        one.book.add([old])
        one.turn(one.clock.utc() + timedelta(hours=5), by_s=60)
        assert one.log.requests == 0
        one.book.add([GAP])
        one.turn(one.clock.utc() + timedelta(minutes=1))
        assert one.log.requests == 1
        # That log ended at noon. What is missing since then comes with the next one, however many gaps there are.
        for _ in range(5):
            later = to_ms(one.clock.utc())
            one.book.add([Gap(later - 90_000, later, 2, 2, PUMP_SILENT)])
            one.turn(one.clock.utc() + timedelta(minutes=2))
        assert one.log.requests == 1
        one.turn(one.clock.utc() + timedelta(hours=2), by_s=60)
        assert one.log.requests == 2


def test_next_start_asks_for_nothing_that_was_told_already(filled: Path) -> None:
    now = datetime(2026, 1, 5, 12, 5, tzinfo=UTC)
    with bench(filled, now=now) as one:
        one.book.add([GAP])
        one.stage.step(0)
    with bench(filled, now=now + timedelta(minutes=1)) as one:
        one.turn(now + timedelta(hours=3), by_s=60)
        assert one.log.requests == 0
    (filled / "backfill.json").write_text("{")
    with bench(filled, now=now + timedelta(minutes=1)) as one:
        one.stage.step(0)
        assert (one.log.requests, one.rows()) == (0, ROWS)


@pytest.mark.no_cover  # the simulated pump works for hours in each case
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refused", "connection refused"),
        ("missing", "answers 404"),
        ("redirect", "answers 302"),
        ("garbage", "no process log"),
        ("older", "not supported"),
        ("close", "broke off"),
        ("stall", "no whole file within 3 s"),
        ("long", "more than 4000000 bytes"),
    ],
)
def test_log_that_is_not_to_be_had_is_told_once_and_asked_for_every_two_hours(
    filled: Path, fault: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hours = 1 if fault == "stall" else 6
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC), fault=fault) as one:
        one.book.add([GAP])
        one.turn(one.clock.utc() + timedelta(hours=hours), by_s=60)
        (line,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
        assert line.getMessage().startswith("no log of the controller")
        assert said in str(vars(line))
        assert one.log.requests in ((0,) if fault == "refused" else (1,) if fault == "stall" else (3,))
        assert one.rows() == 0
        one.log.fault = None
        one.turn(one.clock.utc() + timedelta(hours=2), by_s=60)
        assert one.rows() == ROWS


def test_stage_that_may_not_ask_keeps_the_book_of_what_was_put_there_by_hand(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC), is_asked=False) as one:
        one.book.add([GAP])
        one.stage.step(0)
        assert one.book.gaps() == [GAP]
        assert one.stage.take(one.log.file(), one.book.gaps(), "by hand")[1] == 1
        one.stage.step(0)
        assert one.book.gaps() == [replace(GAP, filled=240, source="log")]
        assert one.log.requests == 0
        assert one.stage.take(one.log.file(), one.book.gaps(), "again")[1] == 0


def test_gap_whose_part_is_gone_keeps_what_was_filled(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        one.book.add([GAP])
        one.stage.step(0)
        (filled / "shards" / "2026-01-05.log.csv").unlink()
        one.stage.step(0)
        assert one.book.gaps() == [replace(GAP, filled=240, source="log")]


@pytest.mark.no_cover  # whole logs are made
def test_disk_that_takes_nothing_does_not_make_it_ask_more_often(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        one.book.add([GAP])
        parts = filled / "shards"
        (parts / "2026-01-05.log.json").mkdir()  # in the place of a file that is to come
        with pytest.raises(OSError, match=r".+"):
            one.stage.step(0)
        one.turn(one.clock.utc() + timedelta(hours=1), by_s=60)
        assert one.log.requests == 1
        (parts / "2026-01-05.log.json").rmdir()
        one.turn(one.clock.utc() + timedelta(hours=1, minutes=5), by_s=60)
        assert (one.log.requests, one.rows()) == (2, ROWS)


def test_book_that_is_not_there_is_left_to_who_derives_it(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        one.turn(one.clock.utc() + timedelta(minutes=1))
        one.stage.keep_book()
        assert not (filled / "gaps.csv").exists()
        assert one.log.requests == 0


def test_many_gaps_filled_at_once_take_one_line(filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "backfill")
    begin, length = GAP.from_ms, (GAP.to_ms - GAP.from_ms) // 6
    gaps = [Gap(begin + n * length, begin + (n + 1) * length, 39, 39, PUMP_SILENT) for n in range(6)]
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        one.book.add(gaps)
        one.stage.step(0)
    assert [record.getMessage() for record in caplog.records] == ["log of the controller taken in", "many gaps filled"]


@pytest.mark.no_cover  # whole logs are made
def test_clock_that_was_years_ahead_hinders_nothing(filled: Path) -> None:
    with bench(filled, now=datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) as one:
        future = dict.fromkeys(("covered_to", "tried", "next"), "2036-01-05T12:00:00.000Z")
        (filled / "backfill.json").write_text(json.dumps(future))
        one.book.add([GAP])
        one.stage.step(0)
        assert (one.log.requests, one.rows()) == (1, ROWS)
