"""Which sensors an export has: by name, shell pattern or group, less those that are left out."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence

from pipeline import labels
from pipeline.errors import QueryError
from pipeline.sensors import Sensor

#: How many names are suggested, and how near they must be.
_NEAR, _LIKE = 3, 0.5


def chosen(
    known: Sequence[Sensor], patterns: Sequence[str], groups: Sequence[str], without: Sequence[str]
) -> list[Sensor]:
    """The sensors that a pattern or a group names, in the order in which they are named; all where none is.

    Raises:
        QueryError: a pattern that fits none of them, a group that has none, or none that is left.
    """
    wanted = [sensor for pattern in patterns for sensor in _fitting(known, pattern)]
    wanted += [sensor for group in groups for sensor in _of_group(known, group)]
    if not patterns and not groups:
        wanted = list(known)
    out = {sensor for pattern in without for sensor in _fitting(known, pattern)}
    left = [sensor for sensor in dict.fromkeys(wanted) if sensor not in out]
    if not left:
        raise QueryError("no sensor is left", hint=f"--exclude takes all {len(set(wanted))} that were chosen")
    return left


def _fitting(known: Sequence[Sensor], pattern: str) -> list[Sensor]:
    found = [sensor for sensor in known if fnmatch.fnmatchcase(sensor.name.lower(), pattern.lower())]
    if not found:
        names = {sensor.name.lower(): sensor.name for sensor in known}
        near = difflib.get_close_matches(pattern.lower().strip("*?"), names, n=_NEAR, cutoff=_LIKE)
        hint = f"near it: {', '.join(names[name] for name in near)}" if near else "`sensors` lists all names"
        raise QueryError(f"no sensor with readings in this time fits {pattern!r}", hint=hint)
    return found


def _of_group(known: Sequence[Sensor], group: str) -> list[Sensor]:
    if group not in labels.GROUPS:
        raise QueryError(f"no group {group!r}", hint=f"groups are {', '.join(labels.GROUPS)}")
    names = labels.members(group)
    found = sorted((sensor for sensor in known if sensor.name in names), key=lambda sensor: names.index(sensor.name))
    if not found:
        raise QueryError(f"no sensor of the group {group} has readings in this time", hint="choose another time")
    return found
