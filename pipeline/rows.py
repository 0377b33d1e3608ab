"""Readings as lines of a shard part, and back: each number as the schema has it, so that it can become the controller's
integer again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import compress
from operator import ne
from typing import NamedTuple

from pipeline import sensors
from pipeline.cells import offset_of, raw_of, text_of
from pipeline.clock import local_text, parse_utc_text, utc_text
from pipeline.reading import Answer, Reading
from pipeline.schema import LIVE, Schema


class RowWriter:
    """Turns readings into lines of one schema; cells that did not change since the last line are kept."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._divisors = [sensor.divisor for sensor in schema.sensors]
        self._answer: Answer | None = None
        self._raws: tuple[int | None, ...] = (None,) * len(schema.sensors)
        self._rest = ""
        self._cells = [""] * len(schema.sensors)

    def line(self, reading: Reading, time_ms: int) -> bytes:
        """One whole line for a reading that fits, standing at `time_ms`; missing sensors leave their cell empty."""
        # A clock that stands has the same answer compared with every row of its moment, each at another millisecond.
        if reading.answer is not self._answer:
            self._render(reading.answer)
            self._answer = reading.answer
        return f"{utc_text(time_ms)},{local_text(time_ms, reading.offset_s)},{self._rest}".encode()

    def _render(self, answer: Answer) -> None:
        raws = _padded(answer, self.schema.counts)
        for i in _changed(self._raws, raws):
            self._cells[i] = text_of(raws[i], self._divisors[i])
        self._raws = raws
        self._rest = ",".join([LIVE, *self._cells]) + "\n"


def _changed(old: Sequence[object], new: Sequence[object]) -> Iterator[int]:
    """The places where two rows of one length differ."""
    if len(old) != len(new):
        raise ValueError(f"{len(new)} cells where {len(old)} belong")
    return compress(range(len(new)), map(ne, old, new))


def _padded(answer: Answer, counts: tuple[int, int, int]) -> tuple[int | None, ...]:
    if answer.counts == counts:
        return sensors.integers(answer)
    groups = (answer.calculations, answer.parameters, answer.visibilities)
    lengths = (counts[1], counts[0], counts[2])
    pairs = zip(groups, lengths, strict=True)
    return tuple(value for group, n in pairs for value in (*group, *[None] * (n - len(group))))


class RowChanges(NamedTuple):
    """A row: its time (ms), the zone's offset from UTC (s), where it comes from, and each cell that is another than in
    the row before: its place among the sensors and its raw integer, None for a blank one.
    """

    time_ms: int
    offset_s: int
    source: str
    cells: list[tuple[int, int | None]]


class RowReader:
    """Turns lines of one schema back into readings; cells that did not change are not parsed again."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._divisors = [sensor.divisor for sensor in schema.sensors]
        self._cells = [""] * len(schema.sensors)
        self._raws: list[int | None] = [None] * len(schema.sensors)

    def reading(self, line: bytes, day: date) -> Reading:
        """The reading of one whole line.

        Raises:
            ValueError: the line is none of this schema.
        """
        time_ms, wall_text, _, _ = self._take(line)
        return Reading(time_ms, day, offset_of(time_ms, wall_text), self._answer())

    def changes(self, line: bytes) -> RowChanges:
        """What one whole line has other than the line before.

        Raises:
            ValueError: the line is none of this schema.
        """
        time_ms, wall_text, source, changed = self._take(line)
        return RowChanges(time_ms, offset_of(time_ms, wall_text), source, [(i, self._raws[i]) for i in changed])

    def _take(self, line: bytes) -> tuple[int, str, str, list[int]]:
        """Keep a line's raw integers; gives its time, wall time and source, and the places of cells that changed."""
        time_text, wall_text, source, *cells = line.decode().rstrip("\n").split(",")
        changed = list(_changed(self._cells, cells))
        time_ms = parse_utc_text(time_text)
        # Both are kept together or not at all: a bad cell must not spoil the rows behind it.
        raws = list(self._raws)
        for i in changed:
            raws[i] = raw_of(cells[i], self._divisors[i])
        _check_blanks(raws, self._schema.counts)
        self._cells, self._raws = cells, raws
        return time_ms, wall_text, source, changed

    def _answer(self) -> Answer:
        n_parameters, n_calculations, _ = self._schema.counts
        border = n_calculations + n_parameters
        calculations = tuple(_present(self._raws[:n_calculations]))
        parameters = tuple(_present(self._raws[n_calculations:border]))
        return Answer(parameters, calculations, tuple(_present(self._raws[border:])))


def _check_blanks(raws: list[int | None], counts: tuple[int, int, int]) -> None:
    """Missing sensors are the last ones of their group: the controller answers the first n."""
    if None not in raws:
        return
    n_parameters, n_calculations, n_visibilities = counts
    begin = 0
    for length in (n_calculations, n_parameters, n_visibilities):
        group = raws[begin : begin + length]
        if None in group[: length - group.count(None)]:
            raise ValueError("a blank cell in front of a filled one")
        begin += length


def _present(raws: list[int | None]) -> Iterator[int]:
    return (raw for raw in raws if raw is not None)
