from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import quality
from pipeline.clock import to_ms
from pipeline.house import House
from pipeline.house_plan import Kind
from pipeline.quality import FALL, JUMP, RETURN, Step, Watch, decode_step
from pipeline.reading import Answer, Reading
from pipeline.sensors import columns, sensor
from tests import dumps

DAY = date(2026, 1, 5)
HEAT = 151
COLUMN = "ID_WEB_WMZ_Heizung"


def reading(value: int, at_s: int = 0, *, index: int = HEAT, calculations: int = 200) -> Reading:
    raws = [0] * calculations
    raws[index] = value
    return Reading(at_s * 1000, DAY, 3600, Answer((), tuple(raws), ()))


def marks(*values: int, every_s: int = 30, index: int = HEAT) -> list[str]:
    """The mark of each value's step; empty where there is none."""
    watch = Watch()
    found = [watch.look(reading(value, i * every_s, index=index)) for i, value in enumerate(values)]
    assert all(step.column == sensor("calculations", index).name for steps in found for step in steps)
    return [steps[0].mark if steps else "" for steps in found]


def test_counter_that_rises_has_no_impossible_step() -> None:
    assert marks(87727, 87727, 87728, 87730) == ["", "", "", ""]


def test_counter_that_falls_is_marked_where_it_falls() -> None:
    assert marks(100, 99, 99, 100) == ["", FALL, "", ""]
    assert marks(87727, 0, 0, 1) == ["", FALL, "", ""]


def test_counter_may_rise_by_a_million_and_no_more() -> None:
    assert marks(5, 1_000_005) == ["", ""]
    assert marks(5, 1_000_006) == ["", JUMP]


def test_sign_fault_of_a_firmware_is_marked_there_and_back() -> None:
    assert marks(87727, 214836091, 214836091, 87728) == ["", JUMP, "", FALL]


def test_seconds_that_passed_while_nobody_read_are_no_jump() -> None:
    month_s = 30 * 86_400
    assert marks(0, month_s, every_s=month_s, index=56) == ["", ""]
    assert marks(0, month_s + 1, every_s=month_s, index=56) == ["", JUMP]


def test_rise_that_undoes_a_fall_is_marked_as_its_return() -> None:
    assert marks(87727, 0, 0, 87728, 87728, 90000) == ["", FALL, "", RETURN, "", ""]


def test_counter_that_counts_up_again_after_a_fall_has_not_returned() -> None:
    assert marks(1000, 995, *range(996, 1010)) == ["", FALL, *[""] * 14]
    assert marks(100, 0, 90_000, every_s=86_400) == ["", FALL, RETURN]
    assert marks(100, 0, 80_000, every_s=86_400) == ["", FALL, ""]


def test_what_is_no_counter_may_fall_and_jump() -> None:
    assert marks(500, -30, 5_000_000, index=10) == ["", "", ""]
    assert marks(500, 0, index=120) == ["", ""]


def test_counter_keeps_its_place_when_an_answer_grows_or_shrinks() -> None:
    watch = Watch(reading(100, calculations=200))
    assert not watch.look(reading(101, 30, calculations=260))
    (step,) = watch.look(reading(99, 60, calculations=180))
    assert (step.column, step.raw, step.previous) == (COLUMN, 99, 101)
    assert not watch.look(reading(0, 90, index=0, calculations=140))


@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 3), min_size=2, max_size=30))
def test_each_fall_and_each_jump_is_marked_once(values: list[int]) -> None:
    found = marks(*values, every_s=1)
    pairs = list(pairwise(values))
    assert [mark == FALL for mark in found[1:]] == [b < a for a, b in pairs]
    assert [mark == JUMP for mark in found[1:]] == [b - a > 1_000_000 for a, b in pairs]


@given(st.lists(st.sampled_from((0, 1, 5, 90, 100, 101, 2_000_000)), min_size=2, max_size=30), st.data())
def test_watch_that_goes_on_finds_what_one_watch_finds(values: list[int], data: st.DataObject) -> None:
    readings = [reading(value, i) for i, value in enumerate(values)]
    at = data.draw(st.integers(1, len(values)))
    whole = Watch()
    wanted = [step for each in readings for step in whole.look(each)]
    first = Watch()
    found = [step for each in readings[:at] for step in first.look(each)]
    second = Watch(readings[at - 1], found)
    found += [step for each in readings[at:] for step in second.look(each)]
    assert found == wanted


def test_step_comes_back_from_what_it_is_kept_as() -> None:
    step = Step(1_767_610_800_123, COLUMN, JUMP, 214_836_091, 87_727)
    assert decode_step(step.encode()) == step
    with pytest.raises(ValueError, match="no mark"):
        decode_step({**step.encode(), "mark": "leap"})


def test_timers_means_dates_and_settings_are_no_counters() -> None:
    counted = {each.name for each in columns((1200, 268, 380)) if quality.is_counter(each)}
    assert {COLUMN, "ID_WEB_Zaehler_BetrZeitImpVD1", "ID_Waermemenge_BW", "ID_Zaehler_BetrZeitSW"} <= counted
    assert not counted & {
        "ID_WEB_Time_VDStd_akt",
        "ID_WEB_HauptMenuStatus_Zeit",
        "ID_WEB_WMZ_Durchfluss",
        "ID_WEB_SEC_Qh_Ist",
        "ID_WEB_AnzahlFehlerInSpeicher",
        "ID_Zaehler_BetrZeitEZMVD1",
        "ID_Waermemenge_Datum",
        "ID_Einst_Waermemenge_akt",
        "ID_Einst_Kuhl_Zeit_Ein_akt",
    }


@pytest.mark.parametrize("name", dumps.NAMES)
def test_counters_of_real_controllers_count_hours_starts_and_heat(name: str) -> None:
    answer = dumps.load(name)
    counted = quality.counters(answer)
    assert len(counted) == 42
    assert counted["ID_WEB_Zaehler_BetrZeitWP"] == answer.calculations[63]
    assert counted["ID_Waermemenge_Hz"] == answer.parameters[854]
    assert all(raw >= 0 for raw in counted.values())


@pytest.mark.parametrize("name", dumps.NAMES)
def test_real_answer_that_comes_again_later_has_no_impossible_step(name: str) -> None:
    answer = dumps.load(name)
    later = [*answer.calculations]
    later[56], later[57], later[63], later[151] = (raw + 1 for raw in (later[56], later[57], later[63], later[151]))
    watch = Watch(Reading(0, DAY, 3600, answer))
    assert not watch.look(Reading(30_000, DAY, 3600, answer))
    assert not watch.look(Reading(60_000, DAY, 3600, dataclasses.replace(answer, calculations=tuple(later))))


@pytest.mark.parametrize("name", dumps.NAMES)
def test_every_counter_of_a_real_controller_that_is_reset_is_marked_once(name: str) -> None:
    answer = dumps.load(name)
    reset = Answer((0,) * len(answer.parameters), (0,) * len(answer.calculations), answer.visibilities)
    found = Watch(Reading(0, DAY, 3600, answer)).look(Reading(30_000, DAY, 3600, reset))
    assert [(step.column, step.previous) for step in found] == [
        (column, raw) for column, raw in quality.counters(answer).items() if raw
    ]
    assert {step.mark for step in found} == {FALL}


def test_real_air_pump_has_no_source_and_no_solar_sensors() -> None:
    found = quality.unfitted(dumps.load("V1.80-L1A"))
    assert {column: raw for column, raw in found.items() if raw} == {
        "ID_WEB_Temperatur_TWE": -500,
        "ID_WEB_Temperatur_TWA": -500,
    }
    assert {"ID_WEB_Temperatur_TSK", "ID_WEB_Temperatur_TSS", "ID_WEB_Temperatur_TEE"} <= found.keys()
    assert not found.keys() & {"ID_WEB_Temperatur_TA", "ID_WEB_Temperatur_TVL", "ID_WEB_Sollwert_TRL_HZ"}


def test_real_brine_pump_has_its_source_sensors_and_no_second_circuit() -> None:
    found = quality.unfitted(dumps.load("V3.78-MSW6"))
    assert set(found.values()) == {0}
    assert {"ID_WEB_Temperatur_TFB2", "ID_WEB_Temperatur_TSK", "ID_WEB_Temperatur_THG_2"} <= found.keys()
    assert not found.keys() & {"ID_WEB_Temperatur_TWE", "ID_WEB_Temperatur_TWA", "ID_WEB_LIN_ANSAUG_VERDICHTER"}


def test_sensor_that_reads_anything_else_once_is_fitted() -> None:
    names = {26: "ID_WEB_Temperatur_TSK", 27: "ID_WEB_Temperatur_TSS", 24: "ID_WEB_Temperatur_TFB2"}
    raws = [0] * 140
    raws[26], raws[27], raws[24], raws[10] = 50, 1500, 750, 341
    first = quality.unfitted(Answer((), tuple(raws), ()))
    assert {column: first[column] for column in names.values()} == dict(
        zip(names.values(), (50, 1500, 750), strict=True)
    )
    assert "ID_WEB_Temperatur_TVL" not in first
    raws[26], raws[27] = 51, 0
    still = quality.still_unfitted(first, Answer((), tuple(raws), ()))
    assert "ID_WEB_Temperatur_TFB2" in still
    assert not still.keys() & {"ID_WEB_Temperatur_TSK", "ID_WEB_Temperatur_TSS"}


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_simulated_house_counts_without_an_impossible_step_and_lacks_what_it_has_not(kind: Kind) -> None:
    house, start = House(5, kind), datetime(2026, 1, 15, tzinfo=UTC)
    moments = [start + timedelta(seconds=300 * i) for i in range(288)]
    answers = [house.answer_at(moment) for moment in moments]
    watch, constants = Watch(), quality.unfitted(answers[0])
    for moment, answer in zip(moments, answers, strict=True):
        assert not watch.look(Reading(to_ms(moment), DAY, 3600, answer))
        constants = quality.still_unfitted(constants, answer)
    assert {column: raw for column, raw in constants.items() if raw} == {
        "ID_WEB_Temperatur_TFB2": 750,
        "ID_WEB_Temperatur_TSK": 50,
        "ID_WEB_Temperatur_TSS": 1500,
        "ID_WEB_Temperatur_TEE": -500,
        "ID_WEB_Temperatur_TFB3": 750,
    }
