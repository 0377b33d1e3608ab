"""What the service knows of itself, as one JSON document: published in `state.json`, printed by `status`.

The same members everywhere; the verdict in it is made from progress, not from being alive.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from pipeline import files
from pipeline.clock import parse_utc_text

#: Name of the file in DATA_DIR.
NAME = "state.json"
#: The two verdicts.
OK, FAILING = "ok", "failing"

#: Bytes of free space below which the service is failing.
LEAST_FREE = 200_000_000
#: Intervals, and seconds at least, that the last durable reading may be old.
_MOST_INTERVALS, _LEAST_AGE_S = 3, 180.0

Document = dict[str, Any]

#: The form of a document: types, `parse_utc_text` for a time, a tuple of what it may be, a list of what each is, a
#: dict of members; `_ANY` stands for every name.
_ANY = "*"
_GAP = {"from": parse_utc_text, "to": parse_utc_text, "missing": int, "reason": str}
_FORM = {
    "status": str,
    "reasons": [str],
    "last_reading": (NoneType, parse_utc_text),
    "queue": {"depth": (NoneType, int), "in_memory": int},
    "restarts": {_ANY: int},
    "pump": {"address": str},
    "gaps": {
        "today": int,
        "open": (NoneType, _GAP),
        "reasons": {_ANY: {"gaps": int, "missing": int}},
        "last": (NoneType, _GAP),
    },
    "losses": {"disk": int, "quarantined": int},
    "archive": {"days": int, "due": int},
    "quality": {"steps": {_ANY: {"falls": int, "jumps": int, "returns": int}}, "not_fitted": [str]},
    "disk": {"free": int, "total": int, "data": int},
    "written": parse_utc_text,
}


@dataclass(frozen=True)
class Vitals:
    """What the verdict is made from.

    `age_s` is the age of the last durable reading, or the time since the start where there is none; `silent` has the
    seconds without a heartbeat of each stage that lacks three; `free` are the bytes that the disk has left; so many
    readings as a `batch` has become durable together.
    """

    age_s: float
    interval_s: float
    silent: Mapping[str, float]
    free: int
    batch: int = 1

    def reasons(self) -> list[str]:
        """Why the service is failing, a sentence each; empty where it is not."""
        limit_s = most_age_s(self.interval_s, self.batch)
        found = []
        if self.age_s > limit_s:
            found.append(f"the last reading is {self.age_s:.0f} s old, more than {limit_s:.0f} s")
        found += [f"stage {name} has not moved for {silent_s:.0f} s" for name, silent_s in sorted(self.silent.items())]
        if self.free < LEAST_FREE:
            found.append(f"{self.free / 1e6:.0f} MB are free on the disk, fewer than {LEAST_FREE / 1e6:.0f} MB")
        return found


def most_age_s(interval_s: float, batch: int = 1) -> float:
    """Seconds that the last durable reading may be old where so many become durable together."""
    return max((_MOST_INTERVALS + batch - 1) * interval_s, _LEAST_AGE_S)


def verdict(reasons: Sequence[str]) -> Document:
    """The two members that everybody asks for first."""
    return {"status": FAILING if reasons else OK, "reasons": list(reasons)}


def publish(folder: Path, document: Document, *, durable: bool) -> None:
    """Put the document in its place.

    Raises:
        OSError: the one before stands.
    """
    data = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    files.publish(folder / NAME, data, durable=durable)


def load(folder: Path) -> Document | None:
    """The document that was published last; None where there is none, or a damaged one."""
    try:
        found = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fits(value: object, form: object = None) -> bool:
    """Whether a document has the members that the service tells, each of the right type; others are passed over."""
    form = _FORM if form is None else form
    if isinstance(form, tuple):
        return any(fits(value, each) for each in form)
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(each, form[0]) for each in value)
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return False
        if _ANY in form:
            return all(fits(each, form[_ANY]) for each in value.values())
        return all(name in value and fits(value[name], each) for name, each in form.items())
    if form is parse_utc_text:
        return isinstance(value, str) and _is_time(value)
    return type(value) is form


def _is_time(text: str) -> bool:
    try:
        parse_utc_text(text)
    except ValueError:
        return False
    return True


def disk(folder: Path) -> dict[str, int]:
    """Bytes free and in all on the disk of a folder, and how many lie in the folder."""
    return {**free(folder), "data": size(folder)}


def free(folder: Path) -> dict[str, int]:
    """Bytes free and in all on the disk of a folder."""
    found = os.statvfs(folder)
    return {"free": found.f_bavail * found.f_frsize, "total": found.f_blocks * found.f_frsize}


def size(folder: Path) -> int:
    """Bytes of all files below a folder, none where it is not there; what vanishes meanwhile counts nothing."""
    return sum(_size(Path(place) / name) for place, _, names in os.walk(folder) for name in names)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
