"""Which values cannot be right: impossible steps of counters, and what sensors read that are not fitted.

A counter steps impossibly when it falls, or rises by more than a million raw and by more than one a second. A rise
faster than one a second that undoes a fall is a return: a sum of what was counted leaves it out too. Values stay as
they came; this tells only what to leave out.

Visibilities do not tell which sensors are fitted: a real controller shows a source of -50.0 and hides hot water that it
measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from pipeline.clock import parse_utc_text, utc_text
from pipeline.reading import Answer, Reading
from pipeline.sensors import Sensor, columns, integers

#: Marks of a step: a counter that fell, that rose too far, that rose back to where it was before it fell.
FALL, JUMP, RETURN = "fall", "jump", "return"
#: The most that a counter rises by at once, raw; where readings lie further apart, one a second.
JUMP_RAW = 1_000_000
#: What sensors read that are not fitted, raw: 5.0, 75.0, 150.0 and -50.0 °C; 0 in the answers of real controllers.
UNFITTED = frozenset({50, 750, 1500, -500, 0})

#: Hours, starts and heat. `EZM` is a mean of running times and may fall.
_COUNTER = re.compile(r"ID_(WEB_)?Zaehler_(?!.*EZM)|ID_WEB_WMZ_|ID_Waermemenge_(?!Datum)")
_COUNTER_TYPES = frozenset({"Energy", "Pulses", "Seconds", "Unknown"})
#: Calculations in degrees that nobody measures: targets, settings and means.
_NOT_MEASURED = re.compile("Soll|Einst|Mittel|HauptMenu")
_PER_SECOND_MS = 1000


@dataclass(frozen=True)
class Step:
    """An impossible step of a counter: its mark, and the raw integers of this reading and the one before it."""

    time_ms: int
    column: str
    mark: str
    raw: int
    previous: int

    def encode(self) -> dict[str, Any]:
        return {
            "time": utc_text(self.time_ms),
            "column": self.column,
            "mark": self.mark,
            "raw": self.raw,
            "previous": self.previous,
        }


def decode_step(document: Mapping[str, Any]) -> Step:
    """The step that `Step.encode` made this of.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    mark = document["mark"]
    if mark not in (FALL, JUMP, RETURN):
        raise ValueError(f"no mark of a step: {mark!r}")
    time_ms = parse_utc_text(document["time"])
    return Step(time_ms, str(document["column"]), mark, int(document["raw"]), int(document["previous"]))


def is_counter(sensor: Sensor) -> bool:
    """Whether a sensor counts on and on: seconds of operation, starts, heat."""
    return sensor.data_type in _COUNTER_TYPES and bool(_COUNTER.match(sensor.name))


def is_measured(sensor: Sensor) -> bool:
    """Whether a sensor measures a temperature, so that it can be there or not."""
    return sensor.data_type == "Celsius" and sensor.group == "calculations" and not _NOT_MEASURED.search(sensor.name)


def counters(answer: Answer) -> dict[str, int]:
    """The raw integer of every counter of an answer, by column."""
    return _chosen(answer, is_counter)


def unfitted(answer: Answer) -> dict[str, int]:
    """The temperatures that read what one that is not fitted reads, raw, by column."""
    return {column: raw for column, raw in _chosen(answer, is_measured).items() if raw in UNFITTED}


def still_unfitted(before: Mapping[str, int], answer: Answer) -> dict[str, int]:
    """Those of some temperatures, raw by column, that read the same in one more answer."""
    now = _chosen(answer, is_measured)
    return {column: raw for column, raw in before.items() if now.get(column) == raw}


class Watch:
    """Finds the impossible steps of readings given in order.

    `before` is the reading in front of them and `steps` what was found up to it, so that a watch goes on where another
    one ended.
    """

    def __init__(self, before: Reading | None = None, steps: Iterable[Step] = ()) -> None:
        self._time_ms = before.time_ms if before else 0
        self._raws = counters(before.answer) if before else {}
        #: What each counter stood at before it last fell.
        self._heights = {step.column: step.previous for step in steps if step.mark == FALL}

    def look(self, reading: Reading) -> list[Step]:
        """The impossible steps from the reading before to this one, by column."""
        elapsed_s = max(reading.time_ms - self._time_ms, 0) // _PER_SECOND_MS
        raws = counters(reading.answer)
        found = []
        if raws != self._raws:
            for column, raw in raws.items():
                previous = self._raws.get(column, raw)
                if raw != previous and (mark := self._mark(column, previous, raw, elapsed_s)):
                    found.append(Step(reading.time_ms, column, mark, raw, previous))
        self._heights |= {step.column: step.previous for step in found if step.mark == FALL}
        self._time_ms, self._raws = reading.time_ms, raws
        return found

    def _mark(self, column: str, previous: int, raw: int, elapsed_s: int) -> str:
        if raw < previous:
            return FALL
        if raw - previous > max(JUMP_RAW, elapsed_s):
            return JUMP
        height = self._heights.get(column)
        undoes = height is not None and previous < height <= raw
        return RETURN if undoes and raw - previous > elapsed_s else ""


def _chosen(answer: Answer, wanted: Any) -> dict[str, int]:
    names, get = _places(answer.counts, wanted)
    return dict(zip(names, get(integers(answer)), strict=True)) if names else {}


@cache
def _places(counts: tuple[int, int, int], wanted: Any) -> tuple[tuple[str, ...], Any]:
    """The columns of the wanted sensors, and what takes their integers out of all."""
    places = [i for i, sensor in enumerate(columns(counts)) if wanted(sensor)]
    names = tuple(columns(counts)[i].name for i in places)
    # One place alone would give a bare integer, so a slice stands for it.
    return names, itemgetter(*places) if len(places) > 1 else itemgetter(slice(*_ends(places)))


def _ends(places: list[int]) -> tuple[int, int]:
    return (places[0], places[0] + 1) if places else (0, 0)
