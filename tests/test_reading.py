from __future__ import annotations

import random
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import to_ms
from pipeline.errors import DamagedReadingError
from pipeline.reading import Answer, Reading, carve, decode

int32 = st.integers(-(2**31), 2**31 - 1)
int8 = st.integers(-128, 127)
readings = st.builds(
    Reading,
    st.integers(0, 2**52),
    st.dates(),
    st.integers(-50_400, 50_400),
    st.builds(
        Answer,
        st.lists(int32, max_size=40).map(tuple),
        st.lists(int32, max_size=40).map(tuple),
        st.lists(int8, max_size=40).map(tuple),
    ),
)
NOON = to_ms(datetime(2026, 1, 5, 12, tzinfo=UTC))


@given(readings)
def test_reading_comes_back_from_its_bytes(reading: Reading) -> None:
    assert decode(reading.encode()) == reading


@given(readings, st.data())
def test_no_damaged_byte_goes_unseen(reading: Reading, data: st.DataObject) -> None:
    encoded = bytearray(reading.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedReadingError):
        decode(bytes(encoded))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedReadingError):
        decode(data)


def test_reading_of_the_newest_firmware_stays_under_16_kb() -> None:
    answer = Answer(
        tuple(i * 7919 - 2**30 for i in range(1200)), tuple(i * 104729 for i in range(268)), tuple([1, 0] * 190)
    )
    assert len(Reading(NOON, date(2026, 1, 5), 3600, answer).encode()) < 16_384


@given(st.lists(st.one_of(readings.map(Reading.encode), st.binary(max_size=40), st.just(b"LUX1")), max_size=8))
def test_every_whole_reading_is_carved_out_of_arbitrary_bytes(pieces: list[bytes]) -> None:
    assert list(carve(b"".join(pieces))) == [piece for piece in pieces if _is_reading(piece)]


def _is_reading(piece: bytes) -> bool:
    try:
        decode(piece)
    except DamagedReadingError:
        return False
    return True


@given(readings, st.data())
def test_reading_with_a_damaged_byte_or_a_missing_end_is_not_carved(reading: Reading, data: st.DataObject) -> None:
    encoded = bytearray(reading.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    assert list(carve(bytes(encoded[:at]))) == []
    encoded[at] ^= data.draw(st.integers(1, 255))
    assert list(carve(bytes(encoded))) == []


def test_reading_that_zlib_cannot_compress_is_carved() -> None:
    noise = random.Random(1)
    answer = Answer(tuple(noise.randrange(-(2**31), 2**31) for _ in range(10_000)), (), ())
    encoded = Reading(NOON, date(2026, 1, 5), 3600, answer).encode()
    assert list(carve(b"x" + encoded + b"y" * 100_000)) == [encoded]
