"""What the columns of a shard part mean.

A schema is a Frictionless Table Schema with a few members more: for each column its group, index, data type, unit,
scale and code texts, for the whole the firmware, the pump and the counts. A stored number is raw * scale written as
short as it can be, so the raw integer is always found again: raw = value / scale, rounded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from pipeline import sensors
from pipeline.reading import Answer
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
