"""The controller's own log: what real files say, what made-up ones give back, and that no other bytes are believed."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ProcessLogError
from pipeline.processlog import MOST_BYTES, Field, ProcessLog, calculation_of, decode
from pipeline.simulator_fields import Analogue, Category, Definition, Digital, Enum, record, whole
from tests import process_logs
from tests.process_logs import END_S, NOW, V1, V3

#: The smallest log, written out: a category, flow temperature, two records a minute apart.
_SMALL = bytes.fromhex(
    "2b230000 0f000000 0200 0600"  # format, header bytes, records, bytes of one
    "00 4100"  # category A
    "01 54564c00 ff0000"  # TVL, red
    "c0d66869 7101"  # 36.9 degrees
    "fcd66869 f6ff"  # -1.0 degrees
)


def test_a_log_is_what_its_bytes_say() -> None:
    log = decode(_SMALL, NOW)
    assert log.times_s == (END_S, END_S + 60)
    assert log.fields == (Field("A", "analogue", "TVL"),)
    assert log.column(log.fields[0]) == (369, -10)


@pytest.mark.parametrize(
    ("name", "record_bytes", "header", "analogue", "digital", "enums", "first_s", "last_s", "flow"),
    [
        (V1, 48, 458, 20, 2, 0, 1648716112, 1648888850, (549, 391)),
        (V3, 156, 2301, 69, 6, 1, 1673014957, 1673187697, (381, 368)),
    ],
)
def test_logs_of_real_controllers_give_their_known_figures(
    name: str,
    record_bytes: int,
    header: int,
    analogue: int,
    digital: int,
    enums: int,
    first_s: int,
    last_s: int,
    flow: tuple[int, int],
) -> None:
    data = process_logs.load(name)
    log = decode(data, datetime.fromtimestamp(last_s, UTC))
    assert (len(log.times_s), 2 * log.width, struct.unpack_from("<I", data, 4)[0]) == (2880, record_bytes, header)
    kinds = Counter(each.kind for each in log.fields)
    assert (kinds["analogue"], kinds["enum"]) == (analogue, enums)
    assert len({each.word for each in log.fields if each.bit is not None}) == digital
    assert (log.times_s[0], log.times_s[-1]) == (first_s, last_s)
    (told,) = (log.column(each) for each in log.fields if calculation_of(each) == 10)
    assert (told[0], told[-1]) == flow


def test_larger_real_log_is_decoded_fast_and_in_little_memory() -> None:
    data = process_logs.load(V3)
    begun = time.perf_counter()
    log = decode(data, NOW)
    for each in log.fields:
        log.column(each)
    assert time.perf_counter() - begun < 1
    assert _peak(data) < 10_000_000


@pytest.mark.no_cover  # the largest log
def test_largest_log_of_the_most_bits_stays_within_its_memory() -> None:
    defined = [Digital(("",) * 16)] * 900
    rows = [record(END_S - n, [0xFFFF] * 900) for n in range(MOST_BYTES // 1804 - 40, 0, -1)]
    data = whole(defined, rows)
    assert 3_900_000 < len(data) <= MOST_BYTES
    assert _peak(data) < 50_000_000
    with pytest.raises(ProcessLogError, match="has a header of"):
        decode(whole(defined * 2, []), NOW)


def _peak(data: bytes) -> int:
    """Most bytes that decoding takes at once, one column after the other."""
    tracemalloc.start()
    try:
        log = decode(data, NOW)
        for each in log.fields[-100:]:
            log.column(each)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(process_logs.made_up())
def test_made_up_log_comes_back(case: tuple[list[Definition], list[tuple[int, ...]], bytes]) -> None:
    defined, rows, data = case
    log = decode(data, NOW)
    assert log.times_s == tuple(row[0] for row in rows)
    category, place, fields = "", 0, iter(log.fields)
    for each in defined:
        if isinstance(each, Category):
            category = each.name
            continue
        place += 1
        words = [row[place] for row in rows]
        if isinstance(each, Digital):
            for bit, name in enumerate(each.names):
                field = next(fields)
                assert field.key == (category, _direction(each, bit), name)
                assert field.hidden == (each.visible is not None and not each.visible >> bit & 1)
                assert log.column(field) == tuple(word >> bit & 1 for word in words)
            continue
        field = next(fields)
        assert (field.category, field.name, field.hidden) == (category, each.name, each.hidden)
        signed = isinstance(each, Analogue)
        assert field.kind == ("analogue" if signed else "enum")
        assert field.factor == (1 if isinstance(each, Enum) else 10 if each.factor is None else each.factor)
        assert log.column(field) == tuple(word - 0x10000 if signed and word >= 0x8000 else word for word in words)
    assert next(fields, None) is None


def _direction(word: Digital, bit: int) -> str:
    output = word.outputs if word.directions is None else word.directions >> bit & 1
    return "output" if output else "input"


@given(process_logs.made_up(), st.data())
def test_log_cut_anywhere_is_refused_or_a_log(
    case: tuple[list[Definition], list[tuple[int, ...]], bytes], data: st.DataObject
) -> None:
    whole_file = case[2]
    _decoded_or_refused(whole_file[: data.draw(st.integers(0, len(whole_file) - 1))])


@given(process_logs.made_up(), st.data())
def test_log_with_any_byte_changed_is_refused_or_a_log(
    case: tuple[list[Definition], list[tuple[int, ...]], bytes], data: st.DataObject
) -> None:
    changed = bytearray(case[2])
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    _decoded_or_refused(bytes(changed))


@given(st.binary(max_size=300))
def test_no_bytes_behind_the_version_bring_it_down(tail: bytes) -> None:
    _decoded_or_refused(struct.pack("<I", 9003) + tail)


def _decoded_or_refused(data: bytes) -> None:
    try:
        log = decode(data, NOW)
    except ProcessLogError:
        return
    assert all(len(log.column(each)) == len(log.times_s) for each in log.fields)


@pytest.mark.parametrize("name", [V1, V3])
def test_real_log_cut_short_anywhere_is_refused(name: str) -> None:
    data = process_logs.load(name)
    for end in [*range(0, 2400, 7), *range(2400, len(data), 9001), len(data) - 1]:
        with pytest.raises(ProcessLogError):
            decode(data[:end], NOW)


def test_torn_piece_before_the_records_is_passed_over() -> None:
    at = len(_SMALL) - 12
    assert decode(_SMALL[:at] + b"12345" + _SMALL[at:], NOW) == decode(_SMALL, NOW)


def _small(at: int, new: bytes) -> bytes:
    return _SMALL[:at] + new + _SMALL[at + len(new) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no process log: only 0 bytes"),
        (b"<html><body>404</body></html>", "no process log: it does not begin with 9003"),
        (_small(0, struct.pack("<I", 9002)), "a process log of format 9002, which is not supported"),
        (_small(0, struct.pack("<I", 8208)), "a process log of format 8208, which is not supported"),
        (_small(0, struct.pack("<I", 8207)), "no process log"),
        (_small(0, struct.pack("<I", 9004)), "no process log"),
        (bytes(MOST_BYTES + 1), "more than 4000000 bytes"),
        (_small(4, b"\x03"), "a header of 3 bytes"),
        (_small(4, b"\xff\xff\xff\xff"), "a header of 4294967295 bytes"),
        (_small(4, b"\x0e"), "does not end within its header"),
        (_small(8, b"\x01"), "12 bytes of records where its header tells of 6"),
        (_small(8, b"\x03"), "12 bytes of records where its header tells of 18"),
        (_small(10, b"\x08"), "records of 8 bytes where its fields take 6"),
        (_small(15, b"\x11"), "id 0x11, which is not known"),
        (_small(15, b"\x05"), "kind 5, which is not known"),
        (_small(16, b"\x1b"), r"the name '\x1bVL', which is no text"),
        (_small(29, struct.pack("<I", END_S)), "times that do not rise"),
        (_small(23, struct.pack("<I", 1_104_537_599)), "2004-12-31 23:59"),
        (_small(29, struct.pack("<I", END_S + 86_401)), "2026-01-16 12:00"),
        (_small(19, b"V"), "does not end within its header"),
        (_SMALL + b"1234567", "19 bytes of records where its header tells of 12"),
    ],
)
def test_log_that_cannot_be_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ProcessLogError) as refused:
        decode(data, NOW)
    assert reason in str(refused.value)


def test_log_may_end_a_day_ahead_and_no_more() -> None:
    last = datetime.fromtimestamp(END_S + 60, UTC)
    assert decode(_SMALL, last - timedelta(days=1))
    with pytest.raises(ProcessLogError, match="which cannot be"):
        decode(_SMALL, last - timedelta(days=1, seconds=1))


def test_digital_word_of_seventeen_bits_is_refused() -> None:
    with pytest.raises(ProcessLogError, match="17 bits"):
        decode(whole([Digital(("a",) * 17)], []), NOW)


def test_firmware_that_changes_within_a_log_is_refused() -> None:
    defined: list[Definition] = [Category("Text_Anlagenstatus"), Analogue("Text_SW_Stand", 1)]
    same = [record(END_S - 60, [3871]), record(END_S, [3871])]
    assert len(decode(whole(defined, same), NOW).times_s) == 2
    with pytest.raises(ProcessLogError, match="several values of Text_SW_Stand"):
        decode(whole(defined, [same[0], record(END_S, [3872])]), NOW)


def test_log_without_records_or_fields_is_one() -> None:
    assert decode(whole([], []), NOW) == ProcessLog((), (), 2, decode(whole([], []), NOW).words)
