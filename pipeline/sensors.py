"""What the controller's integers mean: name, data type, unit, scale and code texts of every sensor.

The tables are those of the package `luxtronik`, asked for nothing else: its socket code loses the frame when an answer
comes in pieces, and its values live in class attributes that all instances share. Nothing here writes to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from luxtronik.calculations import Calculations
from luxtronik.parameters import Parameters
from luxtronik.visibilities import Visibilities

from pipeline.reading import Answer

#: The groups in the order of their columns, with the prefix of a sensor that the tables do not name.
GROUPS = MappingProxyType(
    {"calculations": "calculation", "parameters": "parameter", "visibilities": "visibility"},
)

#: Calculations that hold the letters of the firmware's version, one code each.
FIRMWARE = slice(81, 91)
#: Calculation that holds the controller's clock, seconds since 1970.
CLOCK = 134
#: Calculation that holds the code of the heat pump's type.
PUMP_CODE = 78
#: Codes of pumps are small; the tables end at 75, newer pumps have others.
_CODES = 256
#: A firmware's version, such as V3.78 or 1.86.2.
_VERSION = re.compile(r"[A-Za-z]?\d{1,3}(\.\d{1,4})*[A-Za-z]?", re.ASCII)
#: What `firmware` says where the letters are no version.
UNKNOWN_FIRMWARE = "unknown"

_TABLES: Mapping[str, Mapping[int, object]] = {
    "calculations": Calculations.calculations,
    "parameters": Parameters.parameters,
    "visibilities": Visibilities.visibilities,
}

#: Unit of each data type of the tables; the others have none.
_UNITS = {
    "Celsius": "°C",
    "Energy": "kWh",
    "Flow": "l/h",
    "Frequency": "Hz",
    "Hours": "h",
    "Kelvin": "K",
    "Percent": "%",
    "Percent2": "%",
    "Power": "W",
    "Pressure": "bar",
    "Seconds": "s",
    "Speed": "1/min",
    "Timestamp": "s",
    "Voltage": "V",
}

#: What the raw integer is divided by, for each data type that is not a plain integer.
_DIVISORS = {"Celsius": 10, "Energy": 10, "Hours": 10, "Kelvin": 10, "Percent": 10, "Voltage": 10, "Pressure": 100}

#: Analogue outputs: the tables call them volts, the controller sends per-mille of full scale, so raw / 10 is percent.
_PERMILLE_OUTPUTS = frozenset({156, 157, 162, 163, 164, 165})


@dataclass(frozen=True)
class Sensor:
    """One value of the controller: value = raw / divisor, in `unit`; `codes` are the texts of a selection."""

    group: str
    index: int
    name: str
    data_type: str
    unit: str
    divisor: int
    codes: tuple[tuple[int, str], ...] = ()

    @property
    def meaning(self) -> tuple[str, str, int]:
        """What sensors must share for their values to stand in one column: name, unit and divisor."""
        return self.name, self.unit, self.divisor

    @property
    def place(self) -> tuple[int, int]:
        """Where its column stands among those of an answer."""
        return list(GROUPS).index(self.group), self.index


@cache
def sensor(group: str, index: int) -> Sensor:
    """The sensor at an index of a group, known to the tables or not."""
    prefix = GROUPS[group]
    entry = _TABLES[group].get(index)
    data_type = type(entry).__name__ if entry else "Unknown"
    name = getattr(entry, "name", "Unknown_")
    if name.startswith("Unknown_"):
        name = f"{prefix}_{index}"
    if group == "calculations" and index in _PERMILLE_OUTPUTS and data_type == "Voltage":
        data_type = "Percent"
    codes = tuple(getattr(entry, "codes", {}).items())
    return Sensor(group, index, name, data_type, _UNITS.get(data_type, ""), _DIVISORS.get(data_type, 1), codes)


@cache
def columns(counts: tuple[int, int, int]) -> tuple[Sensor, ...]:
    """The sensors of an answer with these counts (parameters, calculations, visibilities), in column order."""
    n_parameters, n_calculations, n_visibilities = counts
    lengths = {"calculations": n_calculations, "parameters": n_parameters, "visibilities": n_visibilities}
    return tuple(sensor(group, index) for group in GROUPS for index in range(lengths[group]))


def integers(answer: Answer) -> tuple[int, ...]:
    """The raw integers of an answer in column order."""
    return answer.calculations + answer.parameters + answer.visibilities


def values(answer: Answer) -> dict[str, float]:
    """Every sensor's value by name, in column order; selections are their code, times epoch seconds."""
    return {s.name: raw / s.divisor for s, raw in zip(columns(answer.counts), integers(answer), strict=True)}


@dataclass(frozen=True)
class Controller:
    """What an answer says of the controller itself; counts of parameters, calculations and visibilities."""

    firmware: str
    pump: str
    counts: tuple[int, int, int]


def controller(answer: Answer) -> Controller:
    """The metadata that comes along with every answer."""
    return Controller(firmware(answer), pump_name(pump_code(answer)), answer.counts)


def firmware(answer: Answer) -> str:
    """The firmware's version such as `V3.78`, or `unknown` where the letters are none."""
    letters = answer.calculations[FIRMWARE]
    text = "".join(chr(code) if 0 <= code < 0x7F else "?" for code in letters).rstrip("\0")
    return text if _VERSION.fullmatch(text) else UNKNOWN_FIRMWARE


def pump_code(answer: Answer) -> int | None:
    """The code of the heat pump's type, None where the answer is too short to hold it or holds no code."""
    code = answer.calculations[PUMP_CODE] if len(answer.calculations) > PUMP_CODE else -1
    return code if 0 <= code < _CODES else None


def pump_name(code: int | None) -> str:
    """The heat pump's type such as `MSW 6`, or `unknown (99)`."""
    names = dict(sensor("calculations", PUMP_CODE).codes)
    return names.get(code, f"unknown ({code})") if code is not None else "unknown"
