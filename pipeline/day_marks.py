"""The marks of one local day, and how they follow from the parts of its shard.

Each row is compared with the one before it in its part, the first row of a part with the newest earlier one in the
parts before it: so a clock that was set back lets no counter fall. How far each part was looked at stands with the
marks, so that a look goes on where the last one ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline import readout
from pipeline.catalog import Catalog
from pipeline.part import Part, size
from pipeline.quality import Step, Watch, decode_step, still_unfitted, unfitted
from pipeline.reading import Reading
from pipeline.survey import Line

#: Version of the file's members.
FORMAT = 1
#: A day tells which sensors are not fitted once it has so many readings over so much time (ms): a real temperature can
#: stay at exactly 0 or 5 degrees for a night, not for longer.
JUDGED_READINGS = 100
JUDGED_MS = 12 * 3_600_000


@dataclass(frozen=True)
class Looked:
    """How far a part was looked at: where its last row begins and ends, bytes; and the steps up to there."""

    last: int
    end: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class DayMarks:
    """The marks of a local day; `constants` are temperatures, raw, that only ever read what an unfitted one does."""

    day: date
    readings: int = 0
    first_ms: int = 0
    last_ms: int = 0
    constants: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[int, Looked] = field(default_factory=dict)

    @property
    def steps(self) -> list[Step]:
        """Every impossible step, rising in time."""
        found = chain.from_iterable(looked.steps for looked in self.parts.values())
        return sorted(found, key=lambda step: (step.time_ms, step.column))

    @property
    def is_judged(self) -> bool:
        """Whether the day is long enough to tell which sensors are not fitted."""
        return self.readings >= JUDGED_READINGS and self.last_ms - self.first_ms >= JUDGED_MS

    @property
    def not_fitted(self) -> list[str]:
        """The sensors that are not fitted, by column; none where the day is too short to tell."""
        return sorted(self.constants) if self.is_judged else []

    def says_other(self, before: DayMarks) -> bool:
        """Whether these marks say anything else than some before, but for how far they looked."""
        return (self.steps, self.not_fitted, self.constants) != (before.steps, before.not_fitted, before.constants)

    def encode(self) -> bytes:
        """The file's JSON."""
        numbered = [(number, step) for number, looked in self.parts.items() for step in looked.steps]
        numbered.sort(key=lambda pair: (pair[1].time_ms, pair[1].column))
        document = {
            "format": FORMAT,
            "day": str(self.day),
            "readings": self.readings,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "steps": [{**step.encode(), "part": number} for number, step in numbered],
            "not_fitted": self.not_fitted,
            "constants": dict(sorted(self.constants.items())),
            "parts": {str(number): [each.last, each.end] for number, each in sorted(self.parts.items())},
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def decode_day(data: bytes) -> DayMarks:
    """The marks that `DayMarks.encode` made these bytes of.

    Raises:
        ValueError: the bytes are no marks of this format.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError(f"marks of format {document['format']!r}, this version reads {FORMAT}")
        return _decoded(document)
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no marks: {type(error).__name__}: {error}") from error


def _decoded(document: Mapping[str, Any]) -> DayMarks:
    steps: dict[int, list[Step]] = {int(number): [] for number in document["parts"]}
    for step in document["steps"]:
        steps[step["part"]].append(decode_step(step))
    return DayMarks(
        date.fromisoformat(document["day"]),
        int(document["readings"]),
        int(document["first_ms"]),
        int(document["last_ms"]),
        {str(column): int(raw) for column, raw in document["constants"].items()},
        {
            int(number): Looked(int(last), int(end), tuple(steps[int(number)]))
            for number, (last, end) in document["parts"].items()
        },
    )


def look(
    folder: Path,
    catalog: Catalog,
    order: Sequence[Part],
    parts: Mapping[Part, Path],
    known: DayMarks,
    is_stopped: Callable[[], bool] = lambda: False,
) -> DayMarks:
    """The marks of all that stands in a day's parts now, going on from what is known where that fits.

    `order` has the parts of all days. A stop ends the look early, with the marks of what it saw.

    Raises:
        OSError: a part cannot be read.
    """
    marks = known
    if not known.parts.keys() <= {part.number for part in parts}:
        marks = DayMarks(known.day)
    for part, path in parts.items():
        looked = marks.parts.get(part.number)
        if looked is None or not _is_done(path, looked):
            went_on = _look_at(folder, catalog, order, part, marks, is_stopped)
            if went_on is None:
                return look(folder, catalog, order, parts, DayMarks(known.day), is_stopped)
            marks = went_on
    return marks


def _is_done(path: Path, looked: Looked) -> bool:
    """Whether a part has no more than what was looked at."""
    return size(path) == looked.end


def _look_at(
    folder: Path, catalog: Catalog, order: Sequence[Part], part: Part, marks: DayMarks, is_stopped: Callable[[], bool]
) -> DayMarks | None:
    """The marks with those of one part's further rows; None where what is known of the part does not fit it."""
    looked = marks.parts.get(part.number)
    rows = readout.follow(folder, catalog, part, looked.last if looked else 0)
    first = next(rows, None)
    if first is None:
        return None if looked else marks
    line, reading = first
    if looked is None:
        watch = Watch(readout.before(folder, catalog, order, part, reading.time_ms))
        looked, rows = Looked(line.offset, line.offset), chain([first], rows)
    elif (line.offset, line.offset + line.length) == (looked.last, looked.end):
        watch = Watch(reading, looked.steps)
    else:
        return None
    return _watched(part, marks, looked, watch, rows, is_stopped)


def _watched(
    part: Part,
    marks: DayMarks,
    looked: Looked,
    watch: Watch,
    rows: Iterable[tuple[Line, Reading]],
    is_stopped: Callable[[], bool],
) -> DayMarks:
    steps, last, end = list(looked.steps), looked.last, looked.end
    for line, reading in rows:
        steps += watch.look(reading)
        marks = _counted(marks, reading)
        last, end = line.offset, line.offset + line.length
        if is_stopped():
            break
    return replace(marks, parts={**marks.parts, part.number: Looked(last, end, tuple(steps))})


def _counted(marks: DayMarks, reading: Reading) -> DayMarks:
    """The marks of a day with one more reading, but for its steps."""
    if not marks.readings:
        return replace(
            marks,
            readings=1,
            first_ms=reading.time_ms,
            last_ms=reading.time_ms,
            constants=unfitted(reading.answer),
        )
    return replace(
        marks,
        readings=marks.readings + 1,
        first_ms=min(marks.first_ms, reading.time_ms),
        last_ms=max(marks.last_ms, reading.time_ms),
        constants=still_unfitted(marks.constants, reading.answer),
    )
