"""What the controller of a simulated house tells: a snapshot of the house as the raw integers of an answer.

Temperatures are raw tenths of a degree, pressures hundredths of a bar, heat tenths of a kWh, times seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from pipeline.house_plan import (
    CURVE_END,
    CURVE_FOOT,
    HEATING_LIMIT,
    HOT_WATER_TARGET,
    LOWEST_TARGET,
    Counters,
    Kind,
    Mode,
    noise,
)
from pipeline.reading import Answer

#: How many parameters, calculations and visibilities the simulated controller has.
COUNTS = (1126, 260, 355)

#: Letters of the simulated firmware, calculations 81 to 90, padded with zeros.
FIRMWARE = "V3.88"

#: Water through the condenser, litres an hour: what a spread of 1 K then carries is 1.163 W times this.
WATER_FLOW = 1100.0
_WATT_HOURS = 1.163

#: How far a sensor's conversion flickers, K; without it an idle house would be too quiet.
_FLICKER = 0.25


class Temperatures(NamedTuple):
    """What moves with time constants: degrees Celsius, `spread` in K."""

    returning: float
    spread: float
    tank: float
    hot_gas: float
    source_in: float
    source_out: float
    condensing: float
    evaporating: float
    suction: float
    outdoor: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The house at one moment.

    `mode_s` and `compressor_s` say for how long the mode and the compressor's state have lasted, `history` holds
    the outdoor temperatures of the last twelve even hours, ring-wise, and `slot` where the newest stands.
    """

    unix: int
    second_of_day: int
    mode: Mode
    mode_s: int
    compressor_s: int
    season: bool
    target: float
    temperatures: Temperatures
    counters: Counters
    history: tuple[float, ...]
    slot: int


#: Hours of the day in which hot water circulates.
_CIRCULATION_HOURS = frozenset((6, 7, 17, 18, 19, 20))

#: Third status line: heating, hot water, lock time, defrost, no request.
_STATUS_LINE_3 = {Mode.HEATING: 0, Mode.HOT_WATER: 5, Mode.LOCKED: 4, Mode.DEFROST: 7, Mode.IDLE: 1}

#: Calculation 78: MSW 6 and L1A.
_HEAT_PUMP_CODE: dict[Kind, int] = {"brine": 58, "air": 7}

#: Calculations that never change: sensors that are not fitted (75.0, 5.0, 150.0, -50.0), inputs at rest, error and
#: switch-off codes, symbols of the menu.
_CALCULATIONS = (
    {24: 750, 26: 50, 27: 1500, 28: -500, 29: 1, 33: 1, 34: 1, 79: 1, 105: 5, 124: 1, 126: 3, 127: 3, 135: 3, 137: 750}
    | dict.fromkeys(range(100, 105), 716)
    | dict.fromkeys(range(106, 111), 9)
    | {144: 3, 174: 1, 179: 63}
)

#: Settings that are not small numbers: temperatures in tenths, modes of operation, limits, times in seconds.
_PARAMETERS = (
    dict.fromkeys((1, 3, 4, 5, 10, 13, 119, 695, 696, 779, 894), 0)
    | {14: 350, 15: 200, 17: 300, 18: 300, 44: 70, 45: 15, 47: 650, 74: 50, 84: 650, 87: 450, 88: 20, 89: 70}
    | {90: -160, 91: 350, 92: -200, 93: -90, 94: 1300, 98: 60, 108: 0, 110: 200, 122: 40, 123: 20, 124: 700}
    | {132: 200, 133: 200, 134: 50, 135: 50, 149: 600, 699: 1, 736: -20, 737: -20, 850: 120, 851: 120, 883: 1100}
    | {864: 180, 866: 86400, 867: 1000, 868: 500, 966: 200, 967: 50, 973: 650, 992: 60, 1072: 200, 1075: 450}
)


def heat_spread(power_kw: float) -> float:
    """Flow minus return in K where the condenser gives this power."""
    return power_kw * 1000 / (_WATT_HOURS * WATER_FLOW)


class Controller:
    """The constant parts of one controller's answer, and how the rest follows from a snapshot."""

    def __init__(self, seed: int, kind: Kind, built_unix: int) -> None:
        self._seed = seed
        self._air = kind == "air"
        self._drift_s = round(noise(seed, 1, 0) * 40)
        self._parameters = _constant_parameters()
        self._calculations = _constant_calculations(kind, built_unix)
        self._visibilities = tuple(index * index // 5 % 2 for index in range(COUNTS[2]))

    def answer(self, now: Snapshot) -> Answer:
        """The whole answer of the controller at that moment."""
        calculations, parameters = self._calculations.copy(), self._parameters.copy()
        calculations[134] = now.unix + self._drift_s
        for part in (self._measured(now), _outputs(now, self._air), _flows(now), _timers(now), _counted(now.counters)):
            for index, value in part.items():
                calculations[index] = value
        for index, value in _saved(now).items():
            parameters[index] = value
        return Answer(tuple(parameters), tuple(calculations), self._visibilities)

    def _measured(self, now: Snapshot) -> dict[int, int]:
        """Sensors, each with the flicker of its conversion, and what is computed of them."""
        t = now.temperatures
        sensors = {10: t.returning + t.spread, 11: t.returning, 13: t.returning - 0.4, 14: t.hot_gas, 15: t.outdoor}
        sensors |= {17: t.tank, 19: t.source_in, 20: t.source_out, 21: t.returning + 0.8 * t.spread}
        sensors |= {176: t.suction, 178: t.suction - t.evaporating, 229: t.tank + 1.6}
        told = {index: _tenths(value + self._flicker(index, now.unix)) for index, value in sensors.items()}
        told |= {12: _tenths(now.target), 16: _tenths(math.fsum(now.history) / len(now.history))}
        told |= {180: _pressure(t.condensing + self._flicker(180, now.unix)), 181: _pressure(t.evaporating)}
        return told | {22: _tenths(now.target + 2)}

    def _flicker(self, index: int, unix: int) -> float:
        return _FLICKER * noise(self._seed, index, unix)


def _outputs(now: Snapshot, air: bool) -> dict[int, int]:
    """Inputs, relays and the status lines, which follow from the mode."""
    mode, hours = now.mode, now.second_of_day // 3600
    return {
        30: int(mode == Mode.HOT_WATER),
        31: int(mode != Mode.LOCKED),
        37: int(mode == Mode.DEFROST),
        38: int(mode == Mode.HOT_WATER),
        39: int(_heating_pump(now)),
        42 if air else 43: int(_source(mode)),
        44: int(mode.compressor),
        46: int(hours in _CIRCULATION_HOURS and now.second_of_day % 1200 < 300),
        80: int(mode),
        117: 4 if mode == Mode.DEFROST else int(not mode.compressor),
        119: _STATUS_LINE_3[mode],
    }


def _heating_pump(now: Snapshot) -> bool:
    return now.mode in (Mode.HEATING, Mode.DEFROST) or (now.season and now.mode != Mode.HOT_WATER)


def _source(mode: Mode) -> bool:
    """Whether fan or brine pump runs: a defrost takes its heat from the house."""
    return mode.compressor and mode != Mode.DEFROST


def _flows(now: Snapshot) -> dict[int, int]:
    """Water and brine through the pump, litres an hour, and what the water carries, W."""
    pumping, source = now.mode == Mode.HOT_WATER or _heating_pump(now), _source(now.mode)
    flow = int(WATER_FLOW) + now.unix // 10 % 7 if pumping else 0
    return {
        155: flow,
        173: 1450 + now.unix // 10 % 11 if source else 0,
        241: 75 if pumping else 0,
        257: max(0, int(flow * _WATT_HOURS * now.temperatures.spread)) if source else 0,
    }


def _timers(now: Snapshot) -> dict[int, int]:
    running, heating = now.mode.compressor, now.mode == Mode.HEATING
    return {
        67: now.compressor_s if running else 0,
        73: 0 if running else now.compressor_s,
        74: now.mode_s if heating else 0,
        75: 0 if heating else now.mode_s,
        120: now.mode_s,
    }


def _counted(counters: Counters) -> dict[int, int]:
    heating, hot_water = int(counters.heating_heat), int(counters.hot_water_heat)
    compressor_s = int(counters.heating_s + counters.hot_water_s + counters.defrost_s)
    counted = {56: compressor_s, 57: counters.starts, 63: compressor_s}
    counted |= {64: int(counters.heating_s), 65: int(counters.hot_water_s)}
    return counted | {151: heating, 152: hot_water, 154: heating + hot_water}


def _saved(now: Snapshot) -> dict[int, int]:
    """The controller keeps a copy of its counters, and of the outdoor temperature every two hours, in parameters."""
    counted = _counted(now.counters)
    saved = {668: counted[56], 669: counted[56], 674: counted[57], 728: counted[64], 729: counted[65]}
    saved |= {852: counted[154] * 10, 854: counted[151] * 10, 878: counted[152] * 10}
    return saved | {703 + n: _tenths(outdoor) for n, outdoor in enumerate(now.history)} | {727: now.slot}


def _tenths(value: float) -> int:
    return round(value * 10)


def _pressure(saturated: float) -> int:
    """Hundredths of a bar of the refrigerant R410A where it boils at this temperature, within 4 %."""
    return round(798 * math.exp(saturated * (0.0305 - 0.00006 * saturated)))


def _address(text: str) -> int:
    """An IPv4 address as the controller sends it: 32 bits with a sign."""
    return int.from_bytes(IPv4Address(text).packed, "big", signed=True)


def _constant_calculations(kind: Kind, built_unix: int) -> list[int]:
    letters = FIRMWARE.encode().ljust(10, b"\0")
    addresses = ("192.0.2.10", "255.255.255.0", "192.0.2.255", "192.0.2.1")
    values = [0] * COUNTS[1]
    for index, value in _CALCULATIONS.items():
        values[index] = value
    values[18] = _tenths(HOT_WATER_TARGET)
    values[78] = _HEAT_PUMP_CODE[kind]
    values[81:91] = letters
    values[91:95] = map(_address, addresses)
    values[95:100] = [built_unix + days * 86400 + 27143 for days in (411, 388, 97, 15, 2)]
    values[111:116] = [built_unix + days * 86400 + 51208 for days in (409, 410, 411, 407, 408)]
    return values


def _constant_parameters() -> list[int]:
    values = [index * index // 7 % 4 if index % 3 == 0 else 0 for index in range(COUNTS[0])]
    for index, value in _PARAMETERS.items():
        values[index] = value
    for index in range(162, 340, 6):
        values[index : index + 2] = 6 * 3600, 22 * 3600
    values[2] = values[105] = _tenths(HOT_WATER_TARGET)
    values[11], values[12] = _tenths(CURVE_END), _tenths(CURVE_FOOT)
    values[700], values[979] = _tenths(HEATING_LIMIT), _tenths(LOWEST_TARGET)
    return values
