"""What cannot be right in the shards, told beside them: `marks/YYYY-MM-DD.json` for each local day.

Derived: each file says how far it looked at which part, is published whole, goes on from there, and is made anew where
it is lost, damaged or does not fit. So it may lag its shards and never disagrees with them; a kill, a reading that
comes twice or a full disk costs nothing but time.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.catalog import Catalog
from pipeline.clock import Clock, utc_text
from pipeline.day_marks import DayMarks, decode_day, look
from pipeline.log import event
from pipeline.outage import Outage
from pipeline.part import Part, list_parts
from pipeline.quality import FALL, JUMP, RETURN, Step

log = logging.getLogger("marks")

#: Folder of the marks, in that of the shards.
FOLDER = "marks"
#: Readings of the newest day after which its file is published though nothing in it is new but how far it looked.
_LAG = 100
#: Readings after which a step ends though more days are to be made up: about two days' of them, a second or two.
_READINGS_AT_ONCE = 5000

#: The files of a day as they were when they were looked at: name, bytes, time of the last change.
_Version = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Quality:
    """The marks of all days: steps by column, each with its last time (ms); sensors that look not fitted."""

    days: int
    steps: dict[str, Counter[str]]
    last_ms: dict[str, int]
    not_fitted: tuple[str, ...]

    def encode(self) -> dict[str, Any]:
        """What `status --json` shows."""
        return {
            "days": self.days,
            "steps": {
                column: {
                    "falls": counts[FALL],
                    "jumps": counts[JUMP],
                    "returns": counts[RETURN],
                    "last": utc_text(self.last_ms[column]),
                }
                for column, counts in sorted(self.steps.items())
            },
            "not_fitted": list(self.not_fitted),
        }


def summarize(days: Iterable[DayMarks]) -> Quality:
    """The sum of some days' marks.

    Sensors are not fitted as the newest day tells that is long enough, unless a later one read something else.
    """
    ordered = sorted(days, key=lambda each: each.day)
    steps: dict[str, Counter[str]] = {}
    last_ms: dict[str, int] = {}
    not_fitted: set[str] = set()
    for each in ordered:
        for step in each.steps:
            steps.setdefault(step.column, Counter())[step.mark] += 1
            last_ms[step.column] = max(step.time_ms, last_ms.get(step.column, step.time_ms))
        not_fitted = set(each.not_fitted) if each.is_judged else not_fitted & each.constants.keys()
    return Quality(len(ordered), steps, last_ms, tuple(sorted(not_fitted)))


def summary(shards: Path) -> Quality:
    """What the files beside a folder of shards tell; it may lag the shards by a few minutes.

    Raises:
        OSError: a file cannot be read.
    """
    return summarize(_read_all(shards / FOLDER))


def marks_of(shards: Path, catalog: Catalog, day: date) -> DayMarks:
    """The marks of a day up to the last row of its parts now; no file is changed.

    Raises:
        OSError: a part or the file of its marks cannot be read.
    """
    known = next(_read(_path(shards / FOLDER, day)), DayMarks(day))
    days = _by_day(shards)
    return look(shards, catalog, _order(days), days.get(day, {}), known)


class Marks:
    """Keeps the marks of a folder of shards up to date; for one thread of the process that writes the shards."""

    def __init__(self, shards: Path, catalog: Catalog, clock: Clock) -> None:
        self._shards = shards
        self._catalog = catalog
        self._outage = Outage(log, "marks", clock)
        self._stop = threading.Event()
        self._known: dict[date, DayMarks] = {}
        self._published: dict[date, DayMarks] = {}
        self._versions: dict[date, _Version] = {}
        self._is_prepared = False

    def step(self) -> bool:
        """Look at what came since the last step, and at some days that have no marks yet; gives whether more is due.

        A disk that does not serve is told once: nothing else waits for marks, and the next step makes them up.
        """
        try:
            due = self._step()
        except OSError as error:
            self._outage.seen("marks not brought up to date", error=error)
            return False
        self._outage.over()
        return due

    def stop(self) -> None:
        """Let a step end soon; the next start goes on from what is published."""
        self._stop.set()

    def summary(self) -> Quality:
        """What the marks of all days tell, those not published yet included."""
        return summarize(list(self._known.values()))

    def steps(self) -> list[Step]:
        """The impossible steps of all days, those not published yet included, rising in time."""
        days = sorted(self._known.values(), key=lambda marks: marks.day)
        return [step for marks in days for step in marks.steps]

    def _step(self) -> bool:
        days = _by_day(self._shards)
        self._prepare(days.keys())
        newest, order = max(days, default=None), _order(days)
        unreadable: OSError | None = None
        read = 0
        for day in sorted(days, reverse=True):
            if self._stop.is_set() or read >= _READINGS_AT_ONCE:
                return True
            if not self._is_due(day, days[day], is_newest=day == newest):
                continue
            try:
                read += self._look(day, days[day], order)
            except OSError as error:
                # One part that cannot be read must not keep the other days without marks.
                unreadable = error
            else:
                self._publish(day, is_newest=day == newest)
        if unreadable:
            raise unreadable
        return False

    def _prepare(self, days: Set[date]) -> None:
        """Take in the files that a process before this one left; drop those of days that have no shards any more."""
        folder = self._shards / FOLDER
        if not self._is_prepared and days:
            files.make_folder(folder)
            files.remove_leftovers(folder)
            _remove_others(folder, days)
            self._known = {marks.day: marks for marks in _read_all(folder)}
            self._published = dict(self._known)
            self._is_prepared = True
        for day in self._known.keys() - days:
            _path(folder, day).unlink(missing_ok=True)
            del self._known[day]
            self._published.pop(day, None)

    def _is_due(self, day: date, parts: Mapping[Part, Path], *, is_newest: bool) -> bool:
        marks = self._known.get(day)
        return self._versions.get(day) != _version(parts) or marks is None or self._is_news(marks, is_newest=is_newest)

    def _look(self, day: date, parts: Mapping[Part, Path], order: Sequence[Part]) -> int:
        """Look at what a day has more than is known of it; gives how many readings that were."""
        # Before the look: what is appended meanwhile makes another version.
        version = _version(parts)
        known = self._known.get(day, DayMarks(day))
        self._known[day] = marks = look(self._shards, self._catalog, order, parts, known, self._stop.is_set)
        self._versions[day] = version
        return abs(marks.readings - known.readings)

    def _publish(self, day: date, *, is_newest: bool) -> None:
        marks = self._known[day]
        if self._is_news(marks, is_newest=is_newest):
            files.publish(_path(self._shards / FOLDER, day), marks.encode())
            self._published[day] = marks

    def _is_news(self, marks: DayMarks, *, is_newest: bool) -> bool:
        before = self._published.get(marks.day)
        if before is None or not is_newest:
            return marks != before
        return marks.says_other(before) or abs(marks.readings - before.readings) >= _LAG


def _by_day(shards: Path) -> dict[date, dict[Part, Path]]:
    days: dict[date, dict[Part, Path]] = {}
    for part, path in list_parts(shards).items():
        days.setdefault(part.day, {})[part] = path
    return days


def _order(days: Mapping[date, Mapping[Part, Path]]) -> list[Part]:
    return sorted(part for parts in days.values() for part in parts)


def _version(parts: Mapping[Part, Path]) -> _Version:
    return tuple((path.name, stat.st_size, stat.st_mtime_ns) for path in parts.values() for stat in [path.stat()])


def _path(folder: Path, day: date) -> Path:
    return folder / f"{day}.json"


def _remove_others(folder: Path, days: Set[date]) -> None:
    """Remove marks of days that have no shards, whatever is in them."""
    kept = {str(day) for day in days}
    for path in folder.glob("????-??-??.json"):
        if path.stem not in kept:
            path.unlink()


def _read_all(folder: Path) -> Iterator[DayMarks]:
    """The marks of every file that can be read; the others are made anew."""
    for path in sorted(folder.glob("*.json")):
        yield from _read(path)


def _read(path: Path) -> Iterator[DayMarks]:
    """The marks of a file, none where it is not there or damaged."""
    try:
        marks = decode_day(path.read_bytes())
        if path.stem != str(marks.day):
            raise ValueError(f"the marks of {marks.day}")
    except FileNotFoundError:
        return
    except ValueError as error:
        event(log, logging.WARNING, "marks cannot be read and are made anew", file=path, error=error)
    else:
        yield marks
