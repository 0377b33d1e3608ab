"""What people call a sensor, in English and German: the curated table `labels.csv` beside this file.

A sensor is in the table only where at least two of `SOURCES` agree on what it is and none says otherwise; its row names
them. Every other sensor goes by its own name: a wrong label is worse than none. The words of a label are the trade's.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

#: Sorted by first group, then by column; `groups` and `source` are keys separated by a blank.
TABLE = Path(__file__).with_name("labels.csv")

LANGUAGES = ("en", "de")

#: The groups in the order in which they are shown, with their English and German titles.
GROUPS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "temperatures": ("Temperatures", "Temperaturen"),
        "heating-circuit": ("Heating circuit", "Heizkreis"),
        "hot-water": ("Hot water", "Warmwasser"),
        "heat-source": ("Heat source", "Wärmequelle"),
        "refrigerant-circuit": ("Refrigerant circuit", "Kältekreis"),
        "outputs": ("Inputs and outputs", "Ein- und Ausgänge"),
        "states": ("States and settings", "Zustände und Einstellungen"),
        "energy-and-hours": ("Energy and operating hours", "Energie und Betriebsstunden"),
    }
)

#: Where the meanings come from: what each key of a row's `source` stands for.
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "luxtronik": "Package luxtronik 0.3.14: names, data types and texts of its tables; its visibilities carry the "
        "words of the controller's own menu",
        "process-log": "Field names in the controller's own 48-hour log, format 9003, of firmware V1.86.2 and V3.87.1 "
        "(test data of github.com/UweTrottmann/wp-display-android, dtareader)",
        "manual": "Novelan WPR NET, original operating manual 83055303eDE (2.0), p. 23",
        "openhab": "openHAB binding luxtronikheatpump: README, HeatpumpChannel.java, HeatpumpVisibility.java and the "
        "German texts (github.com/openhab/openhab-addons)",
        "home-assistant": "Home Assistant integration luxtronik2: const.py, sensor descriptions, English and German "
        "texts, DHW_TARGET_REGISTERS.md (github.com/BenPru/luxtronik)",
        "bouni": "Home Assistant component luxtronik: parameters of the README (github.com/Bouni/luxtronik)",
        "fhem": "FHEM module 23_LUXTRONIK2.pm: indices and names of its readings (github.com/mhop/fhem-mirror)",
        "wp-display": "Android app Wärmepumpe Display: StatusData.kt, English and German texts "
        "(github.com/UweTrottmann/wp-display-android)",
        "reports": "Owners who compared raw values with the controller's display: github.com/coolchip/luxtronik2 pull "
        "request 53, github.com/Bouni/python-luxtronik pull request 193 and issue 194",
    }
)


@dataclass(frozen=True)
class Label:
    """What a sensor is called, without its unit; `source` is keys of `SOURCES`, separated by a blank."""

    en: str
    de: str
    groups: tuple[str, ...]
    source: str

    def text(self, language: str) -> str:
        """The label in one of `LANGUAGES`. Raises: KeyError for another one."""
        return {"en": self.en, "de": self.de}[language]


def label(name: str) -> Label | None:
    """The label of a sensor, None where the table has none."""
    return _table().get(name)


def text(name: str, language: str) -> str:
    """What to call a sensor in one of `LANGUAGES`: its label, else its own name."""
    found = label(name)
    return found.text(language) if found else name


def members(group: str) -> tuple[str, ...]:
    """The names of a group's sensors in table order. Raises: KeyError for an unknown group."""
    return _members()[group]


@cache
def _table() -> Mapping[str, Label]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: Label(row["en"], row["de"], tuple(row["groups"].split()), row["source"])
            for row in csv.DictReader(file, strict=True)
        }


@cache
def _members() -> Mapping[str, tuple[str, ...]]:
    return {group: tuple(name for name, found in _table().items() if group in found.groups) for group in GROUPS}
