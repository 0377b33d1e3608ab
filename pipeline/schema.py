"""What the columns of a shard part mean, and how a reading becomes one line of it and comes back.

A schema is a Frictionless Table Schema with a few members more: for each column its group, index, data type, unit,
scale and code texts, for the whole the firmware, the pump and the counts. A stored number is raw * scale written as
short as it can be, so the raw integer is always found again: raw = value / scale, rounded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

from pipeline import sensors
from pipeline.cells import offset_of, raw_of, text_of
from pipeline.clock import local_text, parse_utc_text, utc_text
from pipeline.reading import Answer, Reading
from pipeline.sensors import Sensor

#: The columns before the sensors' own: UTC, wall time, and where the row comes from.
LEAD = ("time", "local_time", "source")
#: `source` of a row that a poll gave.
LIVE = "live"
#: `source` of a row from the controller's own log.
LOG = "log"
#: Version of the schema file's members.
FORMAT = 1

_LEAD_FIELDS = (
    {"name": "time", "type": "datetime", "format": "%Y-%m-%dT%H:%M:%S.%fZ", "description": "UTC"},
    {"name": "local_time", "type": "datetime", "format": "%Y-%m-%d %H:%M:%S", "description": "wall time at the poll"},
    {"name": "source", "type": "string", "description": "live, or log: from the controller's own log"},
)


@dataclass(frozen=True)
class Schema:
    """The sensors of a part in column order, and the controller they belong to."""

    firmware: str
    pump_code: int | None
    sensors: tuple[Sensor, ...]

    @classmethod
    def of(cls, answer: Answer) -> Schema:
        """The schema that an answer asks for."""
        return cls(sensors.firmware(answer), sensors.pump_code(answer), sensors.columns(answer.counts))

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        """Parameters, calculations and visibilities that a row has room for."""
        groups = [sensor.group for sensor in self.sensors]
        return groups.count("parameters"), groups.count("calculations"), groups.count("visibilities")

    @cached_property
    def header(self) -> bytes:
        """The first line of a part, line end included."""
        return (",".join([*LEAD, *(sensor.name for sensor in self.sensors)]) + "\n").encode()

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that stand for all of it."""
        return hashlib.sha256(self.encode()).hexdigest()[:12]

    def covers(self, other: Schema) -> bool:
        """Whether a row of `other` can stand under this schema and mean the same."""
        if (self.firmware, self.pump_code) != (other.firmware, other.pump_code):
            return False
        return self.sensors == other.sensors or set(other.sensors) <= set(self.sensors)

    def fits(self, answer: Answer) -> bool:
        """Whether every sensor of an answer has a column here."""
        return all(n <= room for n, room in zip(answer.counts, self.counts, strict=True))

    def encode(self) -> bytes:
        """The schema file's JSON, the same bytes for the same schema."""
        return _encoded(self)

    def _document(self) -> bytes:
        document = {
            "format": FORMAT,
            "firmware": self.firmware,
            "pump": {"code": self.pump_code, "name": sensors.pump_name(self.pump_code)},
            "missingValues": [""],
            "primaryKey": ["time"],
            "fields": [*_LEAD_FIELDS, *(_field(sensor) for sensor in self.sensors)],
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


@lru_cache(maxsize=4)
def _encoded(schema: Schema) -> bytes:
    # A reading brings a schema of its own, mostly the same; comparing two costs a tenth of encoding one.
    return schema._document()


def decode_schema(data: bytes) -> Schema:
    """The schema that `Schema.encode` made these bytes of.

    Raises:
        ValueError: the bytes are no schema of this format.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError(f"schema format {document['format']!r}, this version reads {FORMAT}")
        fields = [_sensor(field) for field in document["fields"][len(LEAD) :]]
        found = Schema(document["firmware"], document["pump"]["code"], tuple(fields))
    except (KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"not a schema: {type(error).__name__}: {error}") from error
    # The tables' own sensors where they are the same: comparing one object with itself costs next to nothing.
    known = sensors.columns(found.counts)
    return Schema(found.firmware, found.pump_code, known) if known == found.sensors else found


def _field(sensor: Sensor) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": sensor.name,
        "type": "integer" if sensor.divisor == 1 else "number",
        "group": sensor.group,
        "index": sensor.index,
        "data_type": sensor.data_type,
        "unit": sensor.unit,
        "scale": 1 / sensor.divisor if sensor.divisor > 1 else 1,
    }
    if sensor.codes:
        field["codes"] = {str(code): text for code, text in sensor.codes}
    return field


def _sensor(field: dict[str, Any]) -> Sensor:
    codes = tuple((int(code), str(text)) for code, text in field.get("codes", {}).items())
    divisor = round(1 / field["scale"])
    return Sensor(field["group"], field["index"], field["name"], field["data_type"], field["unit"], divisor, codes)


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
