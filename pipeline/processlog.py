"""The log of 48 hours that the controller keeps itself and serves at `/NewProc`: format 9003, decoded and checked.

Little-endian: version, bytes of the header from offset 8 on, number of records and bytes of one, definitions of the
fields, then the records, oldest first. They are counted from the end of the file, since a torn piece of an older one
may stand before them. The bytes come over the network without a checksum, so every check must hold, or the whole file
is refused: half a log that is right by chance is worth less than none.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pipeline import processlog_header
from pipeline.clock import from_ms, to_ms
from pipeline.errors import ProcessLogError
from pipeline.processlog_fields import Field, calculation_of, is_sure

__all__ = ["MOST_BYTES", "VERSION", "Field", "ProcessLog", "calculation_of", "decode", "is_sure"]

#: The one version of the format that is read; 8208 to 9002 are older ones of fixed layout, whose units are not known.
VERSION = 9003
_OLDER = range(8208, VERSION)

#: Most bytes of a file; real ones have 139 to 452 kB.
MOST_BYTES = 4_000_000

#: Most bytes of a header; real ones have 458 and 2301.
_MOST_HEADER = 65_536

#: Version and bytes of the header from the next number on; number of records, bytes of a record.
_HEAD = struct.Struct("<IIHH")
_COUNTED_FROM = 8

#: Words of a record's time, which stands before its values.
_TIME_WORDS = 2

#: No log is older than this, or ends later than a day from now, seconds since 1970.
_FIRST_S = int(datetime(2005, 1, 1, tzinfo=UTC).timestamp())
_AHEAD = timedelta(days=1)

#: The firmware's version as a number: constant, unless values stand in other places than their definitions say.
_FIRMWARE = "Text_SW_Stand"


@dataclass(frozen=True)
class ProcessLog:
    """What a log says: a record for each of `times_s`, seconds since 1970 by the controller's clock, strictly rising.

    `words` are the records as they came, each of `width` words with its time first.
    """

    times_s: tuple[int, ...]
    fields: tuple[Field, ...]
    width: int
    words: Sequence[int] = field(repr=False)

    def column(self, field: Field) -> tuple[int, ...]:
        """The raw integers of one of the log's fields, one for each time: analogue ones signed, a bit 0 or 1."""
        words = self.words[_TIME_WORDS + field.word :: self.width]
        if field.bit is not None:
            return tuple(word >> field.bit & 1 for word in words)
        if field.kind == "analogue":
            return tuple((word ^ 0x8000) - 0x8000 for word in words)
        return tuple(words)


def decode(data: bytes, now: datetime) -> ProcessLog:
    """The log that a whole file holds; `now` is an aware time, after which a log cannot end but for a day.

    Raises:
        ProcessLogError: the file is no log, one of another version, or a single check fails.
        ValueError: `now` is naive.
    """
    records, record_bytes, definitions = _head(data)
    fields, value_words = processlog_header.read(definitions)
    width = _TIME_WORDS + value_words
    if record_bytes != 2 * width:
        raise ProcessLogError(f"the process log has records of {record_bytes} bytes where its fields take {2 * width}")
    words = _words(data, len(definitions) + _HEAD.size, records * record_bytes, record_bytes)
    times_s = tuple(low | high << 16 for low, high in zip(words[0::width], words[1::width], strict=True))
    _check_times(times_s, now)
    log = ProcessLog(times_s, fields, width, words)
    _check_firmware(log)
    return log


def _head(data: bytes) -> tuple[int, int, bytes]:
    """Number of records, bytes of one, and the definitions."""
    if len(data) > MOST_BYTES:
        raise ProcessLogError(f"no process log: more than {MOST_BYTES} bytes")
    if len(data) < _HEAD.size:
        raise ProcessLogError(f"no process log: only {len(data)} bytes")
    version, header, records, record_bytes = _HEAD.unpack_from(data)
    if version in _OLDER:
        raise ProcessLogError(
            f"a process log of format {version}, which is not supported", hint=f"only {VERSION} is, from /NewProc"
        )
    if version != VERSION:
        raise ProcessLogError(f"no process log: it does not begin with {VERSION}")
    end = _COUNTED_FROM + header
    if not _HEAD.size <= end <= min(len(data), _MOST_HEADER):
        raise ProcessLogError(f"the process log has a header of {header} bytes in a file of {len(data)}")
    return records, record_bytes, data[_HEAD.size : end]


def _words(data: bytes, header_end: int, size: int, record_bytes: int) -> array[int]:
    """The words of all records, which end with the file; before them at most a piece of one more."""
    torn = len(data) - header_end - size
    if not 0 <= torn < record_bytes:
        raise ProcessLogError(
            f"the process log has {len(data) - header_end} bytes of records where its header tells of {size}"
        )
    words = array("H", data[header_end + torn :])
    if sys.byteorder == "big":
        words.byteswap()
    return words


def _check_times(times_s: Sequence[int], now: datetime) -> None:
    if any(left >= right for left, right in pairwise(times_s)):
        raise ProcessLogError("the process log has times that do not rise")
    last_s = to_ms(now + _AHEAD) // 1000
    for time_s in (*times_s[:1], *times_s[-1:]):
        if not _FIRST_S <= time_s <= last_s:
            raise ProcessLogError(
                f"the process log has the time {from_ms(time_s * 1000):%Y-%m-%d %H:%M}, which cannot be",
                hint="is the controller's clock right?",
            )


def _check_firmware(log: ProcessLog) -> None:
    for each in log.fields:
        if each.name == _FIRMWARE and len(set(log.column(each))) > 1:
            raise ProcessLogError(f"the process log has several values of {_FIRMWARE}, which never changes")
