"""One reading of the controller: its raw integers, when they were read, and the compact bytes that the queue holds.

Encoded: `LUX1`, CRC-32 of all that follows, then time (ms), local day (proleptic ordinal), UTC offset (s), the three
counts, and the zlib-compressed big-endian integers: parameters and calculations 4 bytes each, visibilities 1.
Decoding executes nothing, checks every length and never expands beyond what the counts allow.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from pipeline.clock import from_ms
from pipeline.errors import DamagedReadingError

#: Most integers that one group of an answer may have; real controllers send up to about 1200.
MAX_COUNT = 10_000

_MAGIC = b"LUX1"
_HEAD = struct.Struct(">qiiHHH")
_CRC = struct.Struct(">I")
_HEAD_AT = len(_MAGIC) + _CRC.size
_BODY_AT = _HEAD_AT + _HEAD.size
#: Bytes by which integers may grow, beside an eighth, where zlib cannot compress them.
_ZLIB_MARGIN = 64


@dataclass(frozen=True)
class Answer:
    """What the controller answered, raw: 32-bit parameters and calculations, 8-bit visibilities, by index."""

    parameters: tuple[int, ...]
    calculations: tuple[int, ...]
    visibilities: tuple[int, ...]

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        return len(self.parameters), len(self.calculations), len(self.visibilities)

    def pack(self) -> bytes:
        """The integers as the wire carries them, without the framing.

        Raises:
            struct.error: an integer does not fit its width.
        """
        n_parameters, n_calculations, n_visibilities = self.counts
        return struct.pack(
            f">{n_parameters + n_calculations}i{n_visibilities}b",
            *self.parameters,
            *self.calculations,
            *self.visibilities,
        )


@dataclass(frozen=True)
class Reading:
    """An answer with its time (UTC, ms), and the local day and UTC offset (s) that held at the poll."""

    time_ms: int
    day: date
    offset_s: int
    answer: Answer

    @property
    def time(self) -> datetime:
        return from_ms(self.time_ms)

    def encode(self) -> bytes:
        """The bytes that the queue holds: about 900 for a real controller."""
        head = _HEAD.pack(self.time_ms, self.day.toordinal(), self.offset_s, *self.answer.counts)
        body = head + zlib.compress(self.answer.pack(), 1)
        return _MAGIC + _CRC.pack(zlib.crc32(body)) + body


def decode(data: bytes) -> Reading:
    """The reading that `Reading.encode` made these bytes of.

    Raises:
        DamagedReadingError: the bytes are anything else.
    """
    if len(data) < _BODY_AT or data[: len(_MAGIC)] != _MAGIC:
        raise DamagedReadingError(f"{len(data)} bytes that do not begin as a reading")
    if zlib.crc32(data[_HEAD_AT:]) != _CRC.unpack_from(data, len(_MAGIC))[0]:
        raise DamagedReadingError(f"{len(data)} bytes whose checksum does not match")
    time_ms, ordinal, offset_s, *counts = _HEAD.unpack_from(data, _HEAD_AT)
    try:
        return Reading(time_ms, date.fromordinal(ordinal), offset_s, _unpack(data[_BODY_AT:], *counts))
    except (ValueError, zlib.error) as error:
        raise DamagedReadingError(f"{len(data)} bytes: {error}") from error


def carve(data: bytes) -> Iterator[bytes]:
    """Every whole encoded reading that stands somewhere in arbitrary bytes, in order, exactly as it was encoded."""
    at = data.find(_MAGIC)
    while at >= 0:
        whole = _whole(data, at)
        if whole:
            yield whole
        at = data.find(_MAGIC, at + max(len(whole), 1))


def _whole(data: bytes, at: int) -> bytes:
    """The encoded reading that begins at a place, ended where its zlib stream ends; empty where none does."""
    body_at = at + _BODY_AT
    if len(data) < body_at:
        return b""
    *_, n_parameters, n_calculations, n_visibilities = _HEAD.unpack_from(data, at + _HEAD_AT)
    size = 4 * (n_parameters + n_calculations) + n_visibilities
    packed = data[body_at : body_at + size + size // 8 + _ZLIB_MARGIN]
    inflating = zlib.decompressobj()
    try:
        raw = inflating.decompress(packed, size + 1)
    except zlib.error:
        return b""
    if not inflating.eof or len(raw) != size:
        return b""
    whole = data[at : body_at + len(packed) - len(inflating.unused_data)]
    return whole if zlib.crc32(whole[_HEAD_AT:]) == _CRC.unpack_from(whole, len(_MAGIC))[0] else b""


def time_of(data: bytes) -> int | None:
    """The time (ms) in the head of an encoded reading, unchecked; None where the bytes are too short for one."""
    return int(_HEAD.unpack_from(data, _HEAD_AT)[0]) if data.startswith(_MAGIC) and len(data) >= _BODY_AT else None


def _unpack(packed: bytes, n_parameters: int, n_calculations: int, n_visibilities: int) -> Answer:
    layout = struct.Struct(f">{n_parameters + n_calculations}i{n_visibilities}b")
    raw = zlib.decompressobj().decompress(packed, layout.size + 1)
    if len(raw) != layout.size:
        raise ValueError(f"{len(raw)} bytes of integers where the counts ask for {layout.size}")
    values = layout.unpack(raw)
    border = n_parameters + n_calculations
    return Answer(values[:n_parameters], values[n_parameters:border], values[border:])
