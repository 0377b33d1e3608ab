from __future__ import annotations

import re
from itertools import pairwise

import pytest

from pipeline import labels
from pipeline.labels import GROUPS, LANGUAGES, SOURCES, Label
from pipeline.sensors import columns

#: Counts of a new controller: it answers with every value that a label may be for.
COLUMNS = columns((1200, 275, 380))
PLACES = {sensor.name: place for place, sensor in enumerate(COLUMNS)}
UNITS = sorted({sensor.unit for sensor in COLUMNS} - {""})

#: Names of sensors with a label, in the order of the table.
NAMES = tuple(dict.fromkeys(name for group in GROUPS for name in labels.members(group)))


def found(name: str) -> Label:
    label = labels.label(name)
    assert label is not None
    return label


def texts(language: str) -> list[str]:
    return [labels.text(name, language) for name in NAMES]


def test_table_has_the_hundred_or_so_sensors_that_people_look_at() -> None:
    assert 90 <= len(NAMES) <= 130


def test_every_label_is_for_a_sensor_of_the_tables() -> None:
    assert set(NAMES) <= set(PLACES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_unique_within_a_language(language: str) -> None:
    assert len(set(texts(language))) == len(NAMES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_short_and_begin_with_a_capital_letter(language: str) -> None:
    for text in texts(language):
        assert 0 < len(text) <= 40, text
        assert text == " ".join(text.split()), text
        assert text[0].isupper(), text


def test_english_labels_are_in_sentence_case() -> None:
    for text in texts("en"):
        assert all(word.islower() or word.isupper() or word.isdigit() for word in re.findall(r"\w+", text)[1:]), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_has_a_unit_in_it(language: str) -> None:
    assert {"°C", "kWh", "s"} <= set(UNITS)
    for text in texts(language):
        assert not [unit for unit in UNITS if re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", text)], text


def test_labels_of_times_speak_of_no_hours_as_the_controller_counts_seconds() -> None:
    for name in NAMES:
        if COLUMNS[PLACES[name]].unit == "s":
            assert not re.search("hour|stunde", "".join(labels.text(name, language) for language in LANGUAGES).lower())


def test_german_label_differs_from_the_english_one() -> None:
    assert [name for name in NAMES if found(name).en == found(name).de] == []


def test_every_sensor_is_in_one_or_more_of_the_groups_in_their_order() -> None:
    order = list(GROUPS)
    for name in NAMES:
        places = [order.index(group) for group in found(name).groups]
        assert places, name
        assert places == sorted(set(places)), name


def test_every_group_has_a_title_in_each_language_and_members() -> None:
    assert len(GROUPS) == 8
    for group, titles in GROUPS.items():
        assert len(titles) == len(LANGUAGES)
        assert len(set(titles)) == len(LANGUAGES)
        assert len(labels.members(group)) >= 4


def test_members_of_a_group_are_those_that_name_it_in_table_order() -> None:
    for group in GROUPS:
        assert set(labels.members(group)) == {name for name in NAMES if group in found(name).groups}
    assert labels.members("temperatures")[:2] == ("ID_WEB_Temperatur_TVL", "ID_WEB_Temperatur_TRL")


def test_table_is_sorted_by_first_group_then_by_column() -> None:
    order = list(GROUPS)
    lines = labels.TABLE.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "name,groups,en,de,source"
    keys = [(order.index(found(name).groups[0]), PLACES[name]) for name in (line.split(",")[0] for line in lines[1:])]
    assert all(before < after for before, after in pairwise(keys))


def test_at_least_two_known_sources_stand_behind_every_label() -> None:
    for name in NAMES:
        keys = found(name).source.split(" ")
        assert len(set(keys)) == len(keys) >= 2, name
        assert set(keys) <= set(SOURCES), name


def test_every_source_is_used_and_explained() -> None:
    assert set(SOURCES) == {key for name in NAMES for key in found(name).source.split(" ")}
    assert all(SOURCES.values())


def test_label_gives_its_text_in_the_language_asked_for() -> None:
    assert labels.text("ID_WEB_Temperatur_TVL", "en") == "Flow temperature"
    assert labels.text("ID_WEB_Temperatur_TVL", "de") == "Vorlauftemperatur"
    assert found("ID_WEB_Temperatur_TVL").text("de") == "Vorlauftemperatur"


def test_sensor_without_a_label_falls_back_to_its_own_name() -> None:
    assert labels.label("calculation_0") is None
    assert labels.text("calculation_0", "de") == "calculation_0"
    assert labels.text("no sensor at all", "en") == "no sensor at all"


def test_unknown_language_and_unknown_group_are_refused() -> None:
    with pytest.raises(KeyError):
        found("ID_WEB_Temperatur_TVL").text("fr")
    with pytest.raises(KeyError):
        labels.members("weather")
