"""The bytes of a day's column in the archive, and of its 15-minute buckets.

A column is a kind and a body: kind 0 is one big-endian 32-bit integer for all rows; kind 1 the zlib-compressed
differences between rows, folded (0, -1, 1, -2 become 0, 1, 2, 3), little-endian 32-bit integers split into four planes
of bytes; kind 2 the same behind a bit mask of the rows that have a value, with the differences of these alone. Buckets
are the start of the first one (ms) and their number, then zlib-compressed arrays, all little-endian: how many buckets
each lies behind the one before, min, max, count (32 bits each) and sum (64 bits).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from pipeline.buckets import BUCKET_MS, Buckets
from pipeline.columns import Column, Integers

_CONSTANT, _WHOLE, _MASKED = 0, 1, 2
_VALUE = struct.Struct(">i")
_HEAD = struct.Struct("<qI")
#: Bytes of one bucket: how far it lies behind the one before, min, max, count, sum.
_BUCKET = 24


def encode(column: Column) -> bytes:
    """The bytes of a column."""
    if column.is_constant:
        return bytes([_CONSTANT]) + _VALUE.pack(int(column.values[0]))
    if column.present is None:
        return bytes([_WHOLE]) + _squeezed(column.values)
    mask = np.packbits(column.present).tobytes()
    return bytes([_MASKED]) + mask + _squeezed(column.values[column.present])


def decode(data: bytes, rows: int) -> Column:
    """The column of so many rows that `encode` made these bytes of.

    Raises:
        ValueError: the bytes are no column of so many rows.
    """
    try:
        if data[0] == _CONSTANT:
            return Column(np.array(_VALUE.unpack(data[1:]), np.int32))
        if data[0] == _WHOLE:
            return Column(_expanded(data[1:], rows))
        if data[0] == _MASKED:
            size = (rows + 7) // 8
            present = np.unpackbits(np.frombuffer(data[1 : 1 + size], np.uint8), count=rows).astype(np.bool_)
            values = np.zeros(rows, np.int32)
            values[present] = _expanded(data[1 + size :], int(present.sum()))
            return Column(values, present)
    except (IndexError, struct.error, zlib.error) as error:
        raise ValueError(f"no column: {error}") from error
    raise ValueError(f"no kind of column: {data[0]}")


def encode_buckets(buckets: Buckets) -> bytes:
    """The bytes of a day's buckets."""
    starts = buckets.starts_ms
    steps = (np.diff(starts, prepend=starts[:1]) // BUCKET_MS).astype("<u4")
    arrays = (steps, buckets.mins.astype("<i4"), buckets.maxs.astype("<i4"), buckets.counts.astype("<u4"))
    body = b"".join(array.tobytes() for array in (*arrays, buckets.sums.astype("<i8")))
    return _HEAD.pack(int(starts[0]), len(starts)) + zlib.compress(body, 6)


def decode_buckets(data: bytes) -> Buckets:
    """The buckets that `encode_buckets` made these bytes of.

    Raises:
        ValueError: the bytes are no buckets.
    """
    try:
        first_ms, n = _HEAD.unpack_from(data)
        body = zlib.decompress(data[_HEAD.size :])
    except (struct.error, zlib.error) as error:
        raise ValueError(f"no buckets: {error}") from error
    if len(body) != n * _BUCKET:
        raise ValueError(f"{len(body)} bytes where {n} buckets belong")
    steps, mins, maxs, counts = (
        np.frombuffer(body, kind, n, 4 * n * i) for i, kind in enumerate(("<u4", "<i4", "<i4", "<u4"))
    )
    starts = first_ms + np.cumsum(steps, dtype=np.int64) * BUCKET_MS
    return Buckets(starts, mins, maxs, np.frombuffer(body, "<i8", n, 16 * n), counts.astype(np.int64))


def _squeezed(values: Integers) -> bytes:
    steps = np.diff(values, prepend=np.int32(0))
    # Small steps up and down alike leave three of four planes empty.
    folded = ((steps << 1) ^ (steps >> 31)).astype("<i4")
    squeezing = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    planes = np.ascontiguousarray(folded.view(np.uint8).reshape(-1, 4).T).tobytes()
    return squeezing.compress(planes) + squeezing.flush()


def _expanded(data: bytes, rows: int) -> Integers:
    planes = np.frombuffer(zlib.decompress(data), np.uint8)
    if len(planes) != 4 * rows:
        raise ValueError(f"{len(planes)} bytes where {rows} values belong")
    folded = np.ascontiguousarray(planes.reshape(4, rows).T).view("<u4").reshape(rows)
    return np.cumsum((folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32), dtype=np.int32)
