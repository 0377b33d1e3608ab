from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

import pytest
from luxtronik.calculations import Calculations
from luxtronik.parameters import Parameters
from luxtronik.visibilities import Visibilities

from pipeline import sensors
from pipeline.reading import MAX_COUNT, Answer
from tests import dumps

TABLES: dict[str, dict[int, Any]] = {
    "calculations": dict(Calculations.calculations),
    "parameters": dict(Parameters.parameters),
    "visibilities": dict(Visibilities.visibilities),
}


def _expected(entry: Any, raw: int) -> float:
    """What a type of the library says of a raw integer, turned into a number as the facts ask for it."""
    kind = type(entry).__name__
    if getattr(entry, "codes", None) or kind in {"Version", "Timestamp"}:
        return raw  # the raw code: the library gives text, None for an unknown code, local time for a timestamp
    if kind == "IPAddress":
        return int(struct.unpack(">i", IPv4Address(entry.from_heatpump(raw)).packed)[0])
    return float(entry.from_heatpump(raw))


@pytest.mark.parametrize("name", dumps.NAMES)
def test_values_of_real_controllers_equal_those_of_the_library(name: str) -> None:
    answer = dumps.load(name)
    values = sensors.values(answer)
    assert len(values) == sum(answer.counts)
    groups = {
        "calculations": answer.calculations,
        "parameters": answer.parameters,
        "visibilities": answer.visibilities,
    }
    for group, raws in groups.items():
        for index, raw in enumerate(raws):
            entry = TABLES[group].get(index)
            expected = raw if entry is None else _expected(entry, raw)
            assert values[sensors.sensor(group, index).name] == expected, (group, index)


@pytest.mark.parametrize("name", dumps.NAMES)
def test_selections_and_times_of_real_controllers_agree_with_the_texts_of_the_library(name: str) -> None:
    answer = dumps.load(name)
    for index, raw in enumerate(answer.calculations):
        entry: Any = TABLES["calculations"].get(index)
        sensor = sensors.sensor("calculations", index)
        if sensor.codes:
            assert dict(sensor.codes).get(raw) == entry.from_heatpump(raw)
        if sensor.data_type == "Timestamp" and raw > 0:
            assert entry.from_heatpump(raw).astimezone(UTC) == datetime.fromtimestamp(raw, UTC)


def test_real_controllers_name_their_firmware_and_pump() -> None:
    old, new = (dumps.load(name) for name in dumps.NAMES)
    assert (sensors.firmware(old), sensors.pump_name(sensors.pump_code(old))) == ("V1.80", "L1A")
    assert (sensors.firmware(new), sensors.pump_name(sensors.pump_code(new))) == ("V3.78", "MSW 6")


def test_sensors_that_the_tables_do_not_know_are_named_by_group_and_index() -> None:
    values = sensors.values(Answer(tuple(range(1200)), tuple(range(268)), (1,) * 380))
    assert values["parameter_1199"] == 1199
    assert values["calculation_267"] == 267
    assert values["visibility_379"] == 1
    assert not any(name.startswith("Unknown_") for name in values)
    assert len(values) == 1200 + 268 + 380


def test_column_names_stay_unique_up_to_the_largest_answer() -> None:
    names = [sensor.name for sensor in sensors.columns((MAX_COUNT, MAX_COUNT, MAX_COUNT))]
    assert len(set(names)) == 3 * MAX_COUNT
    assert all(name.isidentifier() for name in names)


def _odd(index: int, *raws: int) -> Answer:
    calculations = [0] * 260
    calculations[index : index + len(raws)] = raws
    return Answer((0,), tuple(calculations), (0,))


@pytest.mark.parametrize("raw", [-1, 8, 99, 2**31 - 1, -(2**31)])
def test_unknown_selection_code_stays_the_raw_number(raw: int) -> None:
    assert sensors.values(_odd(80, raw))["ID_WEB_WP_BZ_akt"] == raw


@pytest.mark.parametrize(
    "letters", [(-1, 7), (2**31 - 1,), (0,) * 10, (86, 0, 49), (0xD800,), (65, 66, 67), (120,) * 10]
)
def test_garbage_version_is_unknown_and_keeps_the_reading(letters: tuple[int, ...]) -> None:
    answer = _odd(81, *letters)
    assert sensors.firmware(answer) == sensors.UNKNOWN_FIRMWARE
    assert sensors.values(answer)["ID_WEB_SoftStand"] == letters[0]


@pytest.mark.parametrize(("code", "known"), [(58, True), (99, True), (-1, False), (70_000, False)])
def test_code_of_a_pump_that_cannot_be_one_is_none(code: int, known: bool) -> None:
    assert sensors.pump_code(_odd(78, code)) == (code if known else None)


def test_negative_timestamp_stays_a_number() -> None:
    assert sensors.values(_odd(95, -5))["ID_WEB_ERROR_Time0"] == -5


def test_short_answer_has_neither_firmware_nor_pump() -> None:
    short = Answer((1,), (1, 2), (1,))
    assert sensors.firmware(short) == sensors.UNKNOWN_FIRMWARE
    assert sensors.pump_name(sensors.pump_code(short)) == "unknown"
    assert sensors.pump_name(99) == "unknown (99)"


def test_analogue_outputs_are_percent_and_inputs_volts() -> None:
    assert [sensors.sensor("calculations", i).unit for i in (156, 165, 147)] == ["%", "%", "V"]


def test_every_value_is_a_finite_float_that_gives_the_integer_back() -> None:
    extreme = Answer((2**31 - 1, -(2**31)), (2**31 - 1,) * 260, (-128, 127))
    for sensor, raw in zip(sensors.columns(extreme.counts), sensors.integers(extreme), strict=True):
        value = sensors.values(extreme)[sensor.name]
        assert math.isfinite(value)
        assert round(value * sensor.divisor) == raw
