"""The log that a simulated controller keeps: what it says is what the pump answered, minute for minute."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.house import House
from pipeline.processlog import Field, ProcessLog, calculation_of, decode
from pipeline.reading import Answer
from pipeline.simulator import Dump
from pipeline.simulator_records import LIE, TORN, Dialect, Writer, encode_log
from tests import dumps, process_logs
from tests.process_logs import END_S, NOW, V1, V3

_DIALECTS: list[Dialect] = ["V1", "V3"]


class _Counted:
    """A house that remembers when it was asked."""

    def __init__(self) -> None:
        self.moments: list[int] = []
        self._house = House()

    def __call__(self, moment: datetime) -> Answer:
        self.moments.append(int(moment.timestamp()))
        return self._house.answer_at(moment)


def _field(log: ProcessLog, calculation: int) -> Field:
    (found,) = (each for each in log.fields if calculation_of(each) == calculation)
    return found


@pytest.mark.parametrize("dialect", _DIALECTS)
def test_every_known_field_says_what_the_pump_answered_at_that_minute(dialect: Dialect) -> None:
    house = House()
    log = decode(encode_log(house.answer_at, END_S, dialect, records=300), NOW)
    answers = [house.answer_at(datetime.fromtimestamp(END_S - 60 * n, UTC)) for n in range(299, -1, -1)]
    assert list(log.times_s) == [each.calculations[134] for each in answers]
    known = {each: found for each in log.fields if (found := calculation_of(each)) is not None}
    assert len(known) >= 26
    for field, calculation in known.items():
        assert list(log.column(field)) == [each.calculations[calculation] for each in answers]


@pytest.mark.parametrize(("dialect", "name"), [("V1", V1), ("V3", V3)])
def test_fields_are_among_those_of_a_real_controller(dialect: Dialect, name: str) -> None:
    real = {each.key: (each.factor, each.hidden) for each in decode(process_logs.load(name), NOW).fields}
    made = {
        each.key: (each.factor, each.hidden)
        for each in decode(encode_log(House().answer_at, END_S, dialect, records=1), NOW).fields
    }
    assert made.keys() <= real.keys()
    assert {key[1] for key in made} == {"analogue", "input", "output"} | ({"enum"} if dialect == "V3" else set())
    assert made == {key: real[key] for key in made}


def test_log_holds_48_hours_and_is_written_in_time() -> None:
    house = House()
    house.answer_at(NOW)
    begun = time.perf_counter()
    log = decode(encode_log(house.answer_at, END_S), NOW)
    assert time.perf_counter() - begun < 5
    assert (len(log.times_s), log.times_s[-1] - log.times_s[0]) == (2880, 2879 * 60)
    assert abs(log.times_s[-1] - END_S) <= 40
    assert {0, 1} == set(log.column(_field(log, 44)))


def test_same_log_comes_of_the_same_minutes_asked_for_once() -> None:
    source = _Counted()
    writer = Writer(source)
    writer.file(END_S - 7200, records=200)
    asked = len(source.moments)
    assert writer.file(END_S, records=200) == encode_log(House().answer_at, END_S, records=200)
    assert len(source.moments) - asked == 120 + 1  # and once more for what fields there are


def test_torn_piece_is_that_of_one_real_log_and_changes_nothing() -> None:
    plain, torn = (encode_log(House().answer_at, END_S, records=5, torn=torn) for torn in (False, True))
    assert len(torn) - len(plain) == TORN == 22
    assert decode(torn, NOW) == decode(plain, NOW)
    assert encode_log(House().answer_at, END_S, records=0, torn=True)


def test_field_that_lies_is_off_and_no_other_one() -> None:
    plain, lying = (decode(encode_log(House().answer_at, END_S, records=50, lying=lie), NOW) for lie in ((), (20,)))
    for each in plain.fields:
        off = LIE if calculation_of(each) == 20 else 0
        assert [raw + off for raw in plain.column(each)] == list(lying.column(each))


def test_calculations_that_a_controller_does_not_have_are_no_fields() -> None:
    dump = Dump(dumps.path("V1.80-L1A"))
    log = decode(encode_log(dump.at, END_S, records=3), NOW)
    assert log.times_s == (END_S - 120, END_S - 60, END_S)
    known = {calculation_of(each) for each in log.fields}
    assert 181 in known
    assert not {229, 232, 233} & known
    (stand,) = (each for each in log.fields if each.name == "Text_SW_Stand")
    assert set(log.column(stand)) == {1800}


def test_pump_that_has_more_sensors_from_a_minute_on_says_0_before() -> None:
    house = House()

    def source(moment: datetime) -> Answer:
        answer = house.answer_at(moment)
        count = 260 if moment >= NOW else 200
        return replace(answer, calculations=answer.calculations[:count])

    writer = Writer(source)
    writer.file(END_S - 60, records=2)
    log = decode(writer.file(END_S, records=2), NOW)
    tank = log.column(_field(log, 229))
    assert tank[0] == 0 < tank[1]


def test_pump_of_few_calculations_has_a_log_of_few_fields() -> None:
    log = decode(encode_log(lambda _: Answer((), tuple(range(20)), ()), END_S, "V1", records=2), NOW)
    assert log.times_s == (END_S - 60, END_S)
    assert {calculation_of(each) for each in log.fields if each.kind == "analogue"} <= {*range(20), None}
