"""The form of a row and of a blob in the archive's file, as its reader and its writer agree on it.

Every row of a day or a sensor has a checksum, and every blob begins with one of what it is, where it belongs and what
its day was made from: what rotted on the disk, stands under a wrong key or is of an older build is told from what is
sound. A day knows the sensors that it has: what vanished is missed.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from pipeline.columns import Times
from pipeline.sensors import Sensor

#: In front of every blob: the CRC-32 of where it belongs and of what follows, little-endian.
SEAL = struct.Struct("<I")
_PLACE = struct.Struct("<IBI")
#: What a blob is: a sensor's column of a day, its buckets; the times of the day's rows, their offsets, their sources.
DATA, BUCKETS, TIMES, OFFSETS, SOURCES = range(5)


@dataclass(frozen=True)
class StoredDay:
    """A day as it stands there: what it was made from, the first and last time of its rows (ms), and their number; in
    `sensors` the bit of each sensor's id that it has.
    """

    day: date
    record: str
    first_ms: int
    last_ms: int
    rows: int
    sensors: int

    def has(self, number: int) -> bool:
        """Whether a row has the sensor of this id."""
        return bool(self.sensors >> number & 1)


def month_of(day: date) -> str:
    """The table that a day stands in."""
    return f"month_{day.year:04}_{day.month:02}"


def sensor_key(sensor: Sensor) -> tuple[str | int, ...]:
    """A sensor as the file has it."""
    return (*(getattr(sensor, each.name) for each in fields(Sensor)[:-1]), json.dumps(sensor.codes))


def sensor_of(row: Sequence[Any]) -> Sensor:
    """The sensor that the file has so."""
    group, index, name, data_type, unit, divisor, codes = row
    return Sensor(group, index, name, data_type, unit, divisor, tuple((code, text) for code, text in json.loads(codes)))


def row_crc(row: Iterable[object]) -> int:
    """The checksum of a row."""
    return zlib.crc32(repr(tuple(row)).encode())


def bits_of(numbers: Iterable[int]) -> int:
    """A number with these bits set."""
    return reduce(or_, (1 << number for number in numbers), 0)


def sealed(body: bytes, kind: int, day: date, record: str, sensor: int = 0) -> bytes:
    """A blob as it stands there: behind the checksum of what it is, of which day, made from what, and which sensor."""
    place = zlib.crc32(_PLACE.pack(sensor, kind, day.toordinal()), zlib.crc32(record.encode()))
    return SEAL.pack(zlib.crc32(body, place)) + body


def packed_times(times: Times) -> bytes:
    """The bytes of rising times."""
    return zlib.compress(np.diff(times, prepend=np.int64(0)).astype("<i8").tobytes(), 6)


def unpacked_times(data: bytes, rows: int) -> Times:
    """The times that `packed_times` made these bytes of.

    Raises:
        ValueError: the bytes are no times of so many rows.
    """
    try:
        steps = np.frombuffer(zlib.decompress(data), "<i8")
    except zlib.error as error:
        raise ValueError(f"no times: {error}") from error
    if len(steps) != rows:
        raise ValueError(f"{len(steps)} times where {rows} belong")
    return np.cumsum(steps, dtype=np.int64)
