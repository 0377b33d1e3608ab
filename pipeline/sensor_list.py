"""The list of all sensors as a page needs it: what each is called, of what kind it is, whether it ever changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from pipeline import labels
from pipeline.quality import is_counter
from pipeline.sensors import Sensor, columns

#: Sensors that the tables of a group have at most.
_MOST_INDICES = 2000
#: Kinds of values: a quantity, one that only counts up, on or off, one of several states.
VALUE, COUNTER, SWITCH, STATE = "value", "counter", "switch", "state"


def kind(sensor: Sensor) -> str:
    """Which of the four kinds a sensor's values are."""
    if is_counter(sensor):
        return COUNTER
    if sensor.data_type == "Bool":
        return SWITCH
    return STATE if sensor.codes else VALUE


def is_state(name: str) -> bool:
    """Whether a sensor of the tables is on or off, or one of several states."""
    return name in _states()


@cache
def _states() -> frozenset[str]:
    most = (_MOST_INDICES, _MOST_INDICES, _MOST_INDICES)
    return frozenset(each.name for each in columns(most) if kind(each) in (SWITCH, STATE))


def document(
    sensors: Iterable[Sensor], changing: Collection[tuple[int, int]] | None, not_fitted: Collection[str]
) -> dict[str, Any]:
    """All sensors, and the groups in the order in which they are shown.

    `changing` has the places of those that ever changed, None where that is not known yet.
    """
    known = [_described(sensor, changing, not_fitted) for sensor in sensors]
    names = {one["name"] for one in known}
    groups = [
        {"key": key, "en": en, "de": de, "sensors": [name for name in labels.members(key) if name in names]}
        for key, (en, de) in labels.GROUPS.items()
    ]
    return {"groups": groups, "sensors": known}


def _described(
    sensor: Sensor, changing: Collection[tuple[int, int]] | None, not_fitted: Collection[str]
) -> dict[str, Any]:
    label = labels.label(sensor.name)
    return {
        "name": sensor.name,
        "group": sensor.group,
        "index": sensor.index,
        "type": sensor.data_type,
        "kind": kind(sensor),
        "unit": sensor.unit,
        "en": label.en if label else None,
        "de": label.de if label else None,
        "groups": list(label.groups) if label else [],
        "codes": {str(code): text for code, text in sensor.codes} or None,
        "changes": None if changing is None else sensor.place in changing,
        "fitted": sensor.name not in not_fitted,
    }
