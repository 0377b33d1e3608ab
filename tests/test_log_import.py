"""A log of the controller taken in beside real shards: what is trusted, which minutes count, and that twice is once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pipeline import day_columns, log_part
from pipeline.catalog import Catalog
from pipeline.clock import from_ms, local_label, to_ms
from pipeline.errors import ProcessLogError
from pipeline.gap import LOGGER_OFF, Gap
from pipeline.house import House
from pipeline.log_import import Finding, LogImport
from pipeline.processlog import Field, ProcessLog, calculation_of
from pipeline.reading import Answer, Reading
from tests.parts import BERLIN, open_shards

#: Six hours, of which nothing was read in two.
BEGIN = datetime(2026, 1, 5, 9, 0, 11, tzinfo=UTC)
OFF, ON, END = BEGIN + timedelta(hours=2), BEGIN + timedelta(hours=4), BEGIN + timedelta(hours=6)
_HOUSE = House()
GAPS = [Gap(to_ms(OFF - timedelta(seconds=30)), to_ms(ON), 240, 240, LOGGER_OFF)]
FLOW, OUTDOOR, SOURCE_OUT, MODE, PUMP = (
    Field("Temperaturen", "analogue", "TVL"),
    Field("Temperaturen", "analogue", "TA"),
    Field("Temperaturen", "analogue", "TWA"),
    Field("Anlage", "analogue", "Text_Betr_Zust", 1),
    Field("Ausgänge", "output", "HUPout", 10),
)
FIELDS = (FLOW, OUTDOOR, SOURCE_OUT, MODE, PUMP)
NAMES = {
    FLOW: "ID_WEB_Temperatur_TVL",
    OUTDOOR: "ID_WEB_Temperatur_TA",
    SOURCE_OUT: "ID_WEB_Temperatur_TWA",
    MODE: "ID_WEB_WP_BZ_akt",
    PUMP: "ID_WEB_HUPout",
}


def answers(ahead_s: int = 0) -> Callable[[datetime], Answer]:
    """A house whose controller's clock is so many seconds ahead."""

    def answer_at(moment: datetime) -> Answer:
        answer = _HOUSE.answer_at(moment)
        clock = int(moment.timestamp()) + ahead_s
        return replace(answer, calculations=(*answer.calculations[:134], clock, *answer.calculations[135:]))

    return answer_at


def live(source: Callable[[datetime], Answer], begin: datetime, end: datetime, step_s: int = 30) -> list[Reading]:
    moments = [begin + timedelta(seconds=n * step_s) for n in range(int((end - begin).total_seconds()) // step_s)]
    return [Reading(to_ms(moment), *local_label(moment, BERLIN), source(moment)) for moment in moments]


def logged(
    source: Callable[[datetime], Answer],
    begin: datetime,
    end: datetime,
    fields: Sequence[Field] = FIELDS,
    *,
    ahead_s: int = 0,
    lie: Field | None = None,
) -> ProcessLog:
    """What the controller keeps of a time, a record a minute by its own clock; one field may lie."""
    moments = [begin + timedelta(seconds=17 + 60 * n) for n in range(int((end - begin).total_seconds()) // 60)]
    words = array("H")
    for moment in moments:
        words.extend([0, 0])
        for field in fields:
            raw = source(moment).calculations[calculation_of(field) or 0]
            words.append((raw + 30 if field == lie else raw) & 0xFFFF)
    placed = tuple(replace(field, word=n, bit=0 if field.kind == "output" else None) for n, field in enumerate(fields))
    times = tuple(int(moment.timestamp()) + ahead_s for moment in moments)
    return ProcessLog(times, placed, 2 + len(fields), words)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Shards of the six hours, two of them missing."""
    source = answers()
    open_shards(tmp_path).append([*live(source, BEGIN, OFF), *live(source, ON, END)])
    return tmp_path / "shards"


def imports(folder: Path, interval_s: float = 30) -> LogImport:
    known = (folder, Catalog(folder))
    return LogImport(
        lambda day: day_columns.read(*known, day)[0],
        partial(log_part.load, *known),
        zone=BERLIN,
        interval_s=interval_s,
    )


def look(folder: Path, log: ProcessLog, gaps: Sequence[Gap] = GAPS, **options: float) -> Finding:
    return imports(folder, **options).look(log, gaps, END)


def trusted(found: Finding) -> dict[str, bool]:
    return {one.field.name: one.is_trusted for one in found.fields}


def publish(folder: Path, found: Finding) -> list[bool]:
    return [log_part.publish(folder, Catalog(folder), day, found.report("here")) for day in found.days]


def test_missing_minutes_have_the_values_that_the_controller_had(filled: Path) -> None:
    source = answers()
    found = look(filled, logged(source, BEGIN, END))
    assert all(trusted(found).values())
    assert (found.records, found.behind_s) == (360, 0)
    (day,) = found.days
    assert day.day == date(2026, 1, 5)
    assert [row.time_ms for row in day.rows] == list(found.times_ms)
    assert len(day.rows) == 120
    assert from_ms(day.rows[0].time_ms) == OFF + timedelta(seconds=17)
    for row in day.rows:
        wanted = source(from_ms(row.time_ms)).calculations
        assert {s.name: raw for s, raw in zip(day.sensors, row.raws, strict=True)} == {
            name: wanted[calculation_of(field) or 0] for field, name in NAMES.items()
        }


def test_field_that_lies_is_left_out_with_the_reason(filled: Path) -> None:
    found = look(filled, logged(answers(), BEGIN, END, lie=OUTDOOR))
    assert trusted(found) == {"TVL": True, "TA": False, "TWA": True, "Text_Betr_Zust": True, "HUPout": True}
    (verdict,) = (one for one in found.report("x")["fields"] if one["field"] == "TA")
    assert verdict["accepted"] is False
    assert verdict["why"].startswith("says something else than the pump: 0 of ")
    assert {sensor.name for day in found.days for sensor in day.sensors} == set(NAMES.values()) - {NAMES[OUTDOOR]}


def test_without_minutes_to_compare_only_what_is_sure_is_taken(filled: Path) -> None:
    log = logged(answers(), OFF + timedelta(minutes=2), ON - timedelta(minutes=2))
    assert trusted(look(filled, log)) == {
        "TVL": True,
        "TA": True,
        "TWA": True,
        "Text_Betr_Zust": False,
        "HUPout": True,
    }


@pytest.mark.parametrize("ahead_s", [-3000, -45, 90, 7200])
def test_times_are_put_right_by_the_controllers_clock(tmp_path: Path, ahead_s: int) -> None:
    source = answers(ahead_s)
    open_shards(tmp_path).append([*live(source, BEGIN, OFF), *live(source, ON, END)])
    found = look(tmp_path / "shards", logged(source, BEGIN, END, ahead_s=ahead_s))
    assert found.behind_s == -ahead_s
    assert from_ms(found.times_ms[0]) == OFF + timedelta(seconds=17)
    assert all(trusted(found).values())


def test_log_that_ends_after_now_is_refused_where_nothing_explains_it(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    log = logged(answers(), BEGIN, END)
    imports(tmp_path / "shards").look(log, GAPS, END - timedelta(minutes=9))
    with pytest.raises(ProcessLogError, match="ends at 2026-01-05 14:59 UTC, after now"):
        imports(tmp_path / "shards").look(log, GAPS, END - timedelta(minutes=15))


def test_log_of_a_clock_that_was_set_meanwhile_is_refused(tmp_path: Path) -> None:
    slow, right = answers(-3600), answers()
    open_shards(tmp_path).append([*live(slow, BEGIN, OFF), *live(right, ON, END)])
    with pytest.raises(ProcessLogError, match="clock moved by 3600 s"):
        look(tmp_path / "shards", logged(right, BEGIN, END))


def test_no_row_stands_within_the_interval_of_a_live_one_or_outside_of_a_gap(filled: Path) -> None:
    log = logged(answers(), BEGIN, END)
    times = look(filled, log, interval_s=300).times_ms
    assert from_ms(times[0]) >= OFF - timedelta(seconds=30) + timedelta(seconds=300)
    assert from_ms(times[-1]) <= ON - timedelta(seconds=300)
    assert look(filled, log, []).times_ms == ()
    half = [replace(GAPS[0], to_ms=to_ms(OFF + timedelta(hours=1)))]
    assert len(look(filled, log, half).times_ms) == 60


def test_same_log_again_changes_nothing(filled: Path) -> None:
    log = logged(answers(), BEGIN, END)
    assert publish(filled, look(filled, log)) == [True]
    content = (filled / "2026-01-05.log.csv").read_bytes()
    again = look(filled, log)
    assert list(again.days) == []
    assert len(again.times_ms) == 120
    assert (filled / "2026-01-05.log.csv").read_bytes() == content


def test_later_log_adds_fields_and_minutes_and_keeps_times(filled: Path) -> None:
    source = answers()
    first = logged(source, OFF - timedelta(minutes=20), OFF + timedelta(hours=1), (FLOW,))
    publish(filled, look(filled, first))
    second = logged(source, BEGIN, END, ahead_s=2)
    (day,) = look(filled, second).days
    assert len(day.rows) == 120
    assert {sensor.name for sensor in day.sensors} == set(NAMES.values())
    assert from_ms(day.rows[0].time_ms) == OFF + timedelta(seconds=17)
    assert all(None not in row.raws for row in day.rows)


def test_field_that_is_refuted_later_goes_again(filled: Path) -> None:
    only = logged(answers(), OFF + timedelta(minutes=2), ON - timedelta(minutes=2), (FLOW, OUTDOOR), lie=OUTDOOR)
    found = look(filled, only)
    assert trusted(found) == {"TVL": True, "TA": True}
    publish(filled, found)
    (day,) = look(filled, logged(answers(), BEGIN, END, (FLOW, OUTDOOR), lie=OUTDOOR)).days
    assert [sensor.name for sensor in day.sensors] == [NAMES[FLOW]]


def test_gap_over_midnight_fills_two_days(tmp_path: Path) -> None:
    source = answers()
    begin = datetime(2026, 1, 5, 22, 0, 11, tzinfo=UTC)
    off, on = begin + timedelta(minutes=30), begin + timedelta(minutes=90)
    open_shards(tmp_path).append([*live(source, begin, off), *live(source, on, begin + timedelta(hours=2))])
    gap = Gap(to_ms(off), to_ms(on), 119, 119, LOGGER_OFF)
    found = look(tmp_path / "shards", logged(source, begin, begin + timedelta(hours=2)), [gap])
    assert [day.day for day in found.days] == [date(2026, 1, 5), date(2026, 1, 6)]
    assert sum(len(day.rows) for day in found.days) == len(found.times_ms) == 60


def test_log_without_records_is_refused(filled: Path) -> None:
    with pytest.raises(ProcessLogError, match="no records"):
        look(filled, ProcessLog((), (), 2, array("H")))
