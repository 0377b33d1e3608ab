"""What a simulated house's heat pump does when: the weather and the plan of a day, from the seed and the day alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["brine", "air"]

#: Settings of the controller, degrees Celsius: above this mean outdoor temperature of a day nothing is heated, ...
HEATING_LIMIT = 15.0
#: ... hot water and lowest return temperature asked for, and the heating curve's two ends.
HOT_WATER_TARGET, LOWEST_TARGET, CURVE_FOOT, CURVE_END = 48.0, 20.0, 20.0, 38.0

#: Seconds of a day; days are counted since 1970 on the house's own clock.
DAY = 86400

#: The day on which the counters stood at 0.
BUILT = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) // DAY

#: Shortest compressor run, defrost, and heating between two defrosts, seconds.
_MINIMUM_RUN, _DEFROST, _FROSTING = 900, 300, 1800

#: An air unit defrosts where it is colder than this outside, degrees Celsius.
_FROST_LIMIT = 5.0

#: Heat that the house loses, kW for each K, below the temperature at which it needs none.
_LOSS, _NO_LOSS_AT = 0.19, 18.0


class Mode(IntEnum):
    """Calculation 80, what the heat pump does."""

    HEATING = 0
    HOT_WATER = 1
    LOCKED = 3
    DEFROST = 4
    IDLE = 5

    @property
    def compressor(self) -> bool:
        return self not in (Mode.LOCKED, Mode.IDLE)


class Segment(NamedTuple):
    """A stretch in which the heat pump does one thing, seconds of house time."""

    start: int
    end: int
    mode: Mode


class Counters(NamedTuple):
    """What only ever counts up: compressor starts, seconds by what for, heat in 0.1 kWh by what for."""

    starts: int = 0
    heating_s: float = 0.0
    hot_water_s: float = 0.0
    defrost_s: float = 0.0
    heating_heat: float = 0.0
    hot_water_heat: float = 0.0


def noise(seed: int, stream: int, n: int) -> float:
    """A number from -1 to 1 that looks random and depends on nothing but the three integers (SplitMix64)."""
    mask = 0xFFFFFFFFFFFFFFFF
    x = (seed * 0xD1342543DE82EF95 + stream * 0xDA942042E4DD58B5 + n * 0x9E3779B97F4A7C15) & mask
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
    return ((x ^ (x >> 31)) >> 11) / (1 << 52) - 1.0


class Weather:
    """Outdoor temperature over the day and the year at house time `t` in seconds since 1970."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def outdoor(self, t: float) -> float:
        season = self.season(t)
        swing = (3.0 + 1.5 * season) * math.cos(math.tau * (t / DAY - 0.625))
        fronts = 7.0 * self._smooth(2, t / (2.5 * DAY)) + 0.7 * self._smooth(3, t / 7200)
        return 9.0 + 9.5 * season + swing + fronts

    def season(self, t: float) -> float:
        """-1 on the coldest day of the year, about 20 January, to 1 on the warmest."""
        return -math.cos(math.tau * (t / DAY - 19) / 365.2425)

    def mean(self, day: int) -> float:
        """Mean of a day; hours evenly apart, so that the swing of the day falls out."""
        return math.fsum(self.outdoor(day * DAY + hour * 3600) for hour in (3, 9, 15, 21)) / 4

    def _smooth(self, stream: int, x: float) -> float:
        n = math.floor(x)
        blend = (x - n) ** 2 * (3 - 2 * (x - n))
        return noise(self._seed, stream, n) * (1 - blend) + noise(self._seed, stream, n + 1) * blend


class Plan:
    """What the heat pump does when, day by day."""

    def __init__(self, seed: int, kind: Kind, weather: Weather) -> None:
        self._seed = seed
        self._air = kind == "air"
        self._weather = weather
        self._mean = lru_cache(maxsize=8)(weather.mean)

    def power(self, day: int) -> float:
        """Heat from the condenser, kW; an air unit gives less in the cold."""
        return 6.2 + 0.12 * self._mean(day) if self._air else 6.8

    def duty(self, day: int) -> float:
        """Share of the day for which the compressor must heat; 0 above the heating limit."""
        mean = self._mean(day)
        if mean >= HEATING_LIMIT:
            return 0.0
        return min(0.85, _LOSS * (_NO_LOSS_AT - mean) / self.power(day))

    def segments(self, day: int) -> list[Segment]:
        """The whole day without a hole; it begins and ends idle."""
        midnight, duty = (day + 1) * DAY, self.duty(day)
        found: list[Segment] = []
        at = day * DAY
        for fixed in self._fixed(day):
            found += [*self._heating(at, fixed.start, duty), fixed]
            at = fixed.end
        return [*found, *self._heating(at, midnight, duty)]

    def _fixed(self, day: int) -> Iterator[Segment]:
        """Hot water in the morning and the evening, and the utility's lock at noon of working days."""
        start = day * DAY
        vary = [noise(self._seed, 4, day * 4 + n) for n in range(4)]
        morning = start + int(6.4 * 3600 + 1500 * vary[0])
        yield Segment(morning, morning + int(2100 + 400 * vary[1]), Mode.HOT_WATER)
        if (day + 3) % 7 < 5:
            yield Segment(start + DAY // 2, start + DAY // 2 + 3600, Mode.LOCKED)
        evening = start + int(20.2 * 3600 + 2400 * vary[2])
        yield Segment(evening, evening + int(2000 + 400 * vary[3]), Mode.HOT_WATER)

    def _heating(self, start: int, end: int, duty: float) -> Iterator[Segment]:
        """Compressor runs spread over a stretch: short ones and long pauses at a low duty, the other way at a high."""
        cycles = min(round((end - start) * duty * (1 - duty) / 1050), int((end - start) * duty / 1000))
        at = start
        for n in range(cycles):
            slot = (end - start) / cycles
            run = max(_MINIMUM_RUN, int(slot * duty * (1 + 0.05 * noise(self._seed, 5, start + n))))
            shift = 0.5 + 0.2 * noise(self._seed, 6, start + n)
            begin = start + int(n * slot + (slot - run) * shift)
            yield Segment(at, begin, Mode.IDLE)
            yield from self._run(begin, begin + run)
            at = begin + run
        yield Segment(at, end, Mode.IDLE)

    def _run(self, at: int, end: int) -> Iterator[Segment]:
        while self._air and end - at >= 2 * _DEFROST + _FROSTING:
            frozen = at + _FROSTING
            if self._weather.outdoor(frozen) >= _FROST_LIMIT:
                break
            yield Segment(at, frozen, Mode.HEATING)
            yield Segment(frozen, frozen + _DEFROST, Mode.DEFROST)
            at = frozen + _DEFROST
        yield Segment(at, end, Mode.HEATING)


def counted(counters: Counters, segments: list[Segment], power: float) -> Iterator[Counters]:
    """The counters at each segment's start; a day ends idle, so the last are those of its end too."""
    yield counters
    for left, right in pairwise(segments):
        counters = count(counters, left, left.end, power)
        if right.mode.compressor and not left.mode.compressor:
            counters = counters._replace(starts=counters.starts + 1)
        yield counters


def count(counters: Counters, segment: Segment, until: float, power: float) -> Counters:
    """The counters at a moment of a segment, from those at its start."""
    seconds = until - segment.start
    heat = seconds * power / 360
    starts, heating_s, hot_water_s, defrost_s, heating, hot_water = counters
    match segment.mode:
        case Mode.HEATING:
            return Counters(starts, heating_s + seconds, hot_water_s, defrost_s, heating + heat, hot_water)
        case Mode.HOT_WATER:
            return Counters(starts, heating_s, hot_water_s + seconds, defrost_s, heating, hot_water + heat)
        case Mode.DEFROST:
            return Counters(starts, heating_s, hot_water_s, defrost_s + seconds, heating, hot_water)
    return counters


class Ledger:
    """What had been counted by each midnight since the house was built; several threads may ask at once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._midnights = [Counters()]
        self._lock = threading.Lock()

    def at_midnight(self, number: int) -> Counters:
        """The counters at which a day begins.

        Raises:
            ValueError: the house was not built yet.
        """
        if number < BUILT:
            raise ValueError("the simulated house was built on 2020-01-01 and knows nothing of the time before")
        with self._lock:
            while len(self._midnights) <= number - BUILT:
                day = BUILT + len(self._midnights) - 1
                *_, last = counted(self._midnights[-1], self._plan.segments(day), self._plan.power(day))
                self._midnights.append(last)
            return self._midnights[number - BUILT]


@cache
def ledger(seed: int, kind: Kind) -> Ledger:
    """The one of all houses of a seed and kind: what counted is the same, and the years up to now take a while."""
    return Ledger(Plan(seed, kind, Weather(seed)))
