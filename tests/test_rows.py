"""Readings as lines of a part, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import to_ms
from pipeline.reading import Answer, Reading
from pipeline.rows import RowReader, RowWriter
from pipeline.schema import Schema
from tests.test_reading import int8, int32

DAY = date(2026, 1, 5)
answers = st.builds(
    Answer,
    st.lists(int32, min_size=1, max_size=140).map(tuple),
    st.lists(int32, min_size=1, max_size=190).map(tuple),
    st.lists(int8, min_size=1, max_size=20).map(tuple),
)
seconds = st.integers(0, 2**32)


@given(st.lists(st.tuples(answers, seconds, st.integers(-50_400, 50_400)), min_size=1, max_size=3))
def test_every_raw_integer_comes_back_from_its_line(rows: list[tuple[Answer, int, int]]) -> None:
    for answer, second, offset_s in rows:
        schema = Schema.of(answer)
        reading = Reading(second * 1000 + 123, DAY, offset_s, answer)
        line = RowWriter(schema).line(reading, reading.time_ms)
        assert RowReader(schema).reading(line, DAY) == reading


@given(st.lists(answers, min_size=2, max_size=4))
def test_rows_in_turn_do_not_mix_their_cells(rows: list[Answer]) -> None:
    wide = Schema.of(Answer((0,) * 140, (0,) * 190, (0,) * 20))
    writer, reader = RowWriter(wide), RowReader(wide)
    for i, answer in enumerate(rows):
        reading = Reading(i * 1000, DAY, 3600, answer)
        assert reader.reading(writer.line(reading, reading.time_ms), DAY) == reading


def test_numbers_are_as_short_as_they_can_be() -> None:
    calculations = [0] * 182
    calculations[10], calculations[11], calculations[15], calculations[180], calculations[181] = 215, 210, -5, 1, 2500
    answer = Answer((7,), tuple(calculations), (1,))
    moment = datetime(2026, 1, 5, 12, 0, 0, 7000, tzinfo=UTC)
    cells = RowWriter(Schema.of(answer)).line(Reading(to_ms(moment), DAY, 3600, answer), to_ms(moment)).decode()
    fields = cells.rstrip("\n").split(",")
    assert fields[:3] == ["2026-01-05T12:00:00.007Z", "2026-01-05 13:00:00", "live"]
    assert [fields[3 + i] for i in (10, 11, 15, 180, 181)] == ["21.5", "21", "-0.5", "0.01", "25"]
    assert fields[-2:] == ["7", "1"]


def test_bad_cell_spoils_its_own_row_only() -> None:
    answers = [Answer((i, 7), (i, 8), (1,)) for i in range(3)]
    schema = Schema.of(answers[0])
    lines = [RowWriter(schema).line(Reading(i * 1000, DAY, 0, a), i * 1000) for i, a in enumerate(answers)]
    reader = RowReader(schema)
    assert reader.reading(lines[0], DAY).answer == answers[0]
    for cell in (b"-", b"1e999", b""):
        spoilt = lines[1].replace(b"live,1,8", b"live,5," + cell) if cell else lines[1].replace(b"live,1,", b"live,,")
        with pytest.raises(ValueError, match=r".+"):
            reader.reading(spoilt, DAY)
        assert reader.reading(lines[2], DAY).answer == answers[2]


def test_offset_of_a_zone_with_odd_minutes_comes_back() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    moment = datetime(2026, 1, 5, 23, 59, 59, 999_000, tzinfo=zone)
    reading = Reading(to_ms(moment), DAY, 20_700, Answer((1,), (2,), (3,)))
    schema = Schema.of(reading.answer)
    assert RowReader(schema).reading(RowWriter(schema).line(reading, reading.time_ms), DAY) == reading
