"""A believable house with a heat pump behind the controller's answers: the same at the same moment, whenever asked.

Counters are the sums of the days' plans since the house was built. Temperatures follow the plan from noon of the day
before, by when the water and the tank have forgotten what came earlier. So a house stopped and started again goes on
as if it had never stopped, and its past can be asked for as well as its present.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import attrgetter

from pipeline.house_plan import (
    BUILT,
    CURVE_END,
    CURVE_FOOT,
    DAY,
    HOT_WATER_TARGET,
    LOWEST_TARGET,
    Counters,
    Kind,
    Mode,
    Plan,
    Segment,
    Weather,
    count,
    counted,
    ledger,
)
from pipeline.house_values import Controller, Snapshot, Temperatures, heat_spread
from pipeline.reading import Answer

#: The house's own clock: seconds ahead of UTC, all year.
_OFFSET = 3600

#: Grid on which temperatures are computed, seconds; between its points they are interpolated.
_STEP = 60

#: The controller stores the outdoor temperature this often, seconds.
_HISTORY = 7200

#: Time constants in the order of `Temperatures`, seconds: with the compressor at work, and without.
_TAUS = {
    True: (1500, 150, 432000, 600, 1200, 900, 240, 180, 300),
    False: (2400, 240, 432000, 4000, 3600, 3600, 900, 900, 3600),
}

#: Share of the way to its goal that each temperature goes in one step.
_RATES = {running: [1 - math.exp(-_STEP / tau) for tau in taus] for running, taus in _TAUS.items()}

#: The same for water that mixes with water of another temperature, from the tank or the other way: 300 s.
_MIXING = 1 - math.exp(-_STEP / 300)

#: Outdoor temperature at which the heating curve ends, degrees Celsius.
_CURVE_COLD = -20.0

#: What people draw before the hot water is made again, K of the tank, and between which seconds before that.
_DRAWN, _DRAW_FROM, _DRAW_TO = 6.5, 3000, 300

#: Where temperatures start half a day before a day: nothing of it is left when the day begins.
_START = Temperatures(28.0, 0.3, 45.0, 30.0, 8.0, 7.0, 20.0, 15.0, 20.0, 8.0)


@dataclass(frozen=True)
class Day:
    """One day worked out.

    `changed` and `counters` say for each segment when the compressor last started or stopped and what had been
    counted at its start, `grid` holds the temperatures of every `_STEP`, `history` the stored outdoor temperatures of
    the day before and the day.
    """

    number: int
    segments: list[Segment]
    changed: list[int]
    counters: list[Counters]
    power: float
    season: bool
    grid: list[Temperatures]
    history: list[float]


class House:
    """A house and its heat pump; several threads may ask at once, as a pump and its own log do."""

    def __init__(self, seed: int = 1, kind: Kind | None = None) -> None:
        self.kind: Kind = kind or ("brine" if seed % 2 else "air")
        self._weather = Weather(seed)
        self._plan = Plan(seed, self.kind, self._weather)
        self._controller = Controller(seed, self.kind, BUILT * DAY)
        self._ledger = ledger(seed, self.kind)
        self._days: dict[int, Day] = {}
        self._lock = threading.Lock()

    def answer_at(self, moment: datetime) -> Answer:
        """What the controller answers at an aware moment.

        Raises:
            ValueError: the moment is naive, or before the house was built.
        """
        if moment.tzinfo is None:
            raise ValueError(f"time without an offset: {moment.isoformat()}")
        with self._lock:
            now = self._snapshot(moment.timestamp())
        return self._controller.answer(now)

    def _snapshot(self, unix: float) -> Snapshot:
        t = unix + _OFFSET
        day = self._day(int(t // DAY))
        at = bisect_right(day.segments, t, key=attrgetter("start")) - 1
        segment = day.segments[at]
        temperatures = _between(day.grid, (t - day.number * DAY) / _STEP)
        slot = int(t % DAY // _HISTORY)
        return Snapshot(
            unix=int(unix),
            second_of_day=int(t % DAY),
            mode=segment.mode,
            mode_s=int(t - segment.start),
            compressor_s=int(t - day.changed[at]),
            season=day.season,
            target=_target(temperatures.outdoor, day.season),
            temperatures=temperatures,
            counters=count(day.counters[at], segment, t, day.power),
            history=(*day.history[12 : 13 + slot], *day.history[1 + slot : 12]),
            slot=slot,
        )

    def _day(self, number: int) -> Day:
        if number not in self._days:
            if len(self._days) > 1:
                self._days.pop(next(iter(self._days)))
            self._days[number] = self._work_out(number)
        return self._days[number]

    def _work_out(self, number: int) -> Day:
        before, today = self._plan.segments(number - 1), self._plan.segments(number)
        # The night's idle time is one stretch: the controller's timers do not begin anew at midnight.
        segments = [Segment(before[-1].start, today[0].end, Mode.IDLE), *today[1:]]
        changed = [segments[0].start]
        for left, right in pairwise(segments):
            changed.append(changed[-1] if left.mode.compressor == right.mode.compressor else right.start)
        power = self._plan.power(number)
        return Day(
            number=number,
            segments=segments,
            changed=changed,
            counters=list(counted(self._ledger.at_midnight(number), today, power)),
            power=power,
            season=self._plan.duty(number) > 0,
            grid=self._grid(number, [*before[:-1], *segments]),
            history=[self._weather.outdoor((number - 1) * DAY + n * _HISTORY) for n in range(24)],
        )

    def _grid(self, number: int, segments: list[Segment]) -> list[Temperatures]:
        """The temperatures at a day's every step, both midnights included."""
        now, found, start = _START, [], number * DAY
        made = [segment.start for segment in segments if segment.mode == Mode.HOT_WATER]
        for at in range(start - DAY // 2, start + DAY, _STEP):
            if at >= start:
                found.append(now)
            segment = segments[bisect_right(segments, at, key=attrgetter("start")) - 1]
            drawn = any(-_DRAW_FROM <= at - hot_water < -_DRAW_TO for hot_water in made)
            now = self._step(now, at, segment, _DRAWN * _STEP / (_DRAW_FROM - _DRAW_TO) if drawn else 0.0)
        return [*found, now]

    def _step(self, now: Temperatures, at: int, segment: Segment, drawn: float) -> Temperatures:
        goals = self._goals(now, at, segment.mode)
        rates = _RATES[segment.mode.compressor].copy()
        if abs(goals[0] - now.returning) > 7 or segment.mode == Mode.HOT_WATER:
            rates[0] = _MIXING
        if segment.mode == Mode.HOT_WATER:
            rates[2] = min(1.0, _STEP / (segment.end - at))
        moved = [x + (goal - x) * rate for x, goal, rate in zip(now, goals, rates, strict=False)]
        moved[2] -= drawn
        moved.append(self._weather.outdoor(at + _STEP))
        return Temperatures(*moved)

    def _goals(self, now: Temperatures, at: int, mode: Mode) -> tuple[float, ...]:
        """Where each temperature is bound for, in the order of `Temperatures`, without the outdoor one."""
        day = at // DAY
        season = self._plan.duty(day) > 0
        target = _target(now.outdoor, season)
        source = now.outdoor if self.kind == "air" else 9.0 + 2.5 * self._weather.season(at - 40 * DAY)
        if mode == Mode.DEFROST:
            return target - 3, -4.0, 20.0, 40.0, source, source + 3, 8.0, -2.0, now.evaporating + 4
        if not mode.compressor:
            rest = (now.source_in + 20) / 2
            return target - 4 if season else 21.5, 0.3, 20.0, 22.0, source, source, rest, rest, 20.0
        returning, tank = target + 3, 20.0
        if mode == Mode.HOT_WATER:
            returning, tank = now.tank + 2.5, HOT_WATER_TARGET + 1.5
        spread, cold = heat_spread(self._plan.power(day)), now.source_out - 5
        condensing = now.returning + now.spread + 2
        return returning, spread, tank, condensing + 30, source - 1.5, source - 4.7, condensing, cold, cold + 7


def _target(outdoor: float, season: bool) -> float:
    """Return temperature that the heating curve asks for."""
    if not season:
        return LOWEST_TARGET
    return CURVE_FOOT + (CURVE_END - CURVE_FOOT) * max(0.0, 20.0 - outdoor) / (20.0 - _CURVE_COLD)


def _between(grid: list[Temperatures], position: float) -> Temperatures:
    n = int(position)
    share = position - n
    return Temperatures(*(a + (b - a) * share for a, b in zip(grid[n], grid[n + 1], strict=True)))
