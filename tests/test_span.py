from __future__ import annotations

import gzip
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import utc_text
from pipeline.part import Part
from pipeline.span import DirtyPartError, Source, find

PART = Part(date(2026, 1, 5), 1)
HEADER = b"time,local_time,source,a,b\n"


def line(time_ms: int, width: int = 1) -> bytes:
    return f"{utc_text(time_ms)},2026-01-05 12:00:00,live,{'1' * width},2\n".encode()


times = st.lists(st.integers(0, 10**6), max_size=30, unique=True).map(sorted)


@settings(max_examples=150)
@given(
    times,
    st.integers(-5, 10**6 + 5),
    st.integers(0, 10**6),
    st.lists(st.integers(1, 20_000), min_size=1),
    st.booleans(),
)
def test_range_holds_exactly_the_lines_of_the_window(
    rows: list[int], start: int, length: int, widths: list[int], packed: bool
) -> None:
    lines = [line(at, widths[i % len(widths)]) for i, at in enumerate(rows)]
    content = HEADER + b"".join(lines) + b"2026-01-05T1"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (PART.name + ".gz" if packed else PART.name)
        path.write_bytes(gzip.compress(content, 1) if packed else content)
        found = find(PART, path, start, start + length)
    inside = [(at, row) for at, row in zip(rows, lines, strict=True) if start <= at < start + length]
    if not inside:
        assert found is None
        return
    assert found is not None
    assert content[found.start : found.end] == b"".join(row for _, row in inside)
    assert (found.first_ms, found.last_ms, found.clean) == (inside[0][0], inside[-1][0], True)
    assert Source.decode(found.encode()) == found


def test_part_with_a_bad_line_where_the_search_looks_is_not_clean(tmp_path: Path) -> None:
    rows = [line(i * 1000) for i in range(9)]
    rows[4] = b"\0" * (len(rows[4]) - 1) + b"\n"
    path = tmp_path / PART.name
    path.write_bytes(HEADER + b"".join(rows))
    found = find(PART, path, 3500, 5500)
    assert found is not None
    assert (found.clean, found.first_ms, found.last_ms) == (False, 5000, 5000)


@pytest.mark.parametrize("content", [b"", b"foreign\n1,2\n", b"time,local_time,source,a"])
def test_file_without_a_header_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / PART.name
    path.write_bytes(content)
    with pytest.raises(DirtyPartError):
        find(PART, path, 0, 10)


def test_part_with_its_header_alone_has_no_range(tmp_path: Path) -> None:
    path = tmp_path / PART.name
    path.write_bytes(HEADER)
    assert find(PART, path, 0, 10**12) is None
