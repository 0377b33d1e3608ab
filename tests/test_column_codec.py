from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import column_codec
from pipeline.buckets import BUCKET_MS, reduce
from pipeline.columns import Column
from tests.test_reading import int32

cells = st.lists(st.none() | int32, min_size=1, max_size=50).filter(lambda raws: any(raw is not None for raw in raws))


def column(raws: list[int | None]) -> Column:
    present = np.array([raw is not None for raw in raws])
    return Column(np.array([raw or 0 for raw in raws], np.int32), None if present.all() else present)


def raws_of(found: Column, rows: int) -> list[int | None]:
    pairs = zip(found.spread(rows).tolist(), found.mask(rows).tolist(), strict=True)
    return [value if there else None for value, there in pairs]


@given(cells)
def test_every_raw_integer_and_every_gap_comes_back(raws: list[int | None]) -> None:
    assert raws_of(column_codec.decode(column_codec.encode(column(raws)), len(raws)), len(raws)) == raws


@given(int32, st.integers(1, 3000))
def test_value_of_a_whole_day_takes_five_bytes(raw: int, rows: int) -> None:
    data = column_codec.encode(Column(np.array([raw], np.int32)))
    assert len(data) == 5
    assert raws_of(column_codec.decode(data, rows), rows) == [raw] * rows


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01", b"\x01garbage", b"\x02", b"\x07abcd", column_codec.encode(column([1, 2]))]
)
def test_bytes_that_are_no_column_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no column|no kind|bytes where"):
        column_codec.decode(data, 3)


@given(st.dictionaries(st.integers(0, 4 * 86_400_000), int32, min_size=1, max_size=50), st.integers(0, 10**12))
def test_buckets_come_back(found: dict[int, int], begin_ms: int) -> None:
    times = np.array(sorted(found), np.int64) + begin_ms
    buckets = reduce(times, np.array([found[at] for at in sorted(found)], np.int32), BUCKET_MS)
    back = column_codec.decode_buckets(column_codec.encode_buckets(buckets))
    for name in ("starts_ms", "mins", "maxs", "sums", "counts"):
        assert getattr(back, name).tolist() == getattr(buckets, name).tolist()


@pytest.mark.parametrize("data", [b"", b"x" * 12, b"\0" * 12 + b"garbage"])
def test_bytes_that_are_no_buckets_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no buckets|bytes where"):
        column_codec.decode_buckets(data)
