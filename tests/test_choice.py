from __future__ import annotations

import pytest

from pipeline.choice import chosen
from pipeline.errors import QueryError
from pipeline.sensors import Sensor, columns

KNOWN = columns((300, 240, 20))


def names(found: list[Sensor]) -> list[str]:
    return [sensor.name for sensor in found]


def test_everything_is_chosen_where_nothing_is_named() -> None:
    assert chosen(KNOWN, [], [], []) == list(KNOWN)


def test_sensors_come_in_the_order_in_which_they_are_named_and_once() -> None:
    found = chosen(KNOWN, ["calculation_235", "id_web_temperatur_t?l", "ID_WEB_Temperatur_TRL"], [], [])
    assert names(found) == ["calculation_235", "ID_WEB_Temperatur_TVL", "ID_WEB_Temperatur_TRL"]


def test_group_and_patterns_add_up_and_exclude_takes_away() -> None:
    found = names(chosen(KNOWN, ["calculation_235"], ["hot-water"], ["ID_WEB_Einst_*"]))
    assert found[0] == "calculation_235"
    assert "ID_WEB_Temperatur_TBW" in found
    assert "ID_WEB_Einst_BWS_akt" not in found


@pytest.mark.parametrize(
    ("patterns", "groups", "without", "said"),
    [
        (["ID_WEB_Temperatur_TVI"], [], [], r"fits 'ID_WEB_Temperatur_TVI' \(near it: ID_WEB_Temperatur_TV"),
        (["xyz"], [], [], r"fits 'xyz' \(`sensors` lists all names\)"),
        ([], [], ["Temperature*"], "fits 'Temperature"),
        ([], ["temperature"], [], r"no group 'temperature' \(groups are temperatures, heating-circuit"),
        (["ID_WEB_Temperatur_TA"], [], ["ID_WEB_*"], "no sensor is left"),
    ],
)
def test_choice_that_comes_to_nothing_is_told(
    patterns: list[str], groups: list[str], without: list[str], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        chosen(KNOWN, patterns, groups, without)


def test_group_without_readings_is_told() -> None:
    with pytest.raises(QueryError, match="no sensor of the group hot-water has readings"):
        chosen(KNOWN[:5], [], ["hot-water"], [])
