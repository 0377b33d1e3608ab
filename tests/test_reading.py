from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import to_ms
from pipeline.errors import DamagedReadingError
from pipeline.reading import Answer, Reading, decode

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
