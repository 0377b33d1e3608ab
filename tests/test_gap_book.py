from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import gap_book
from pipeline.gap import DISK, HEADER, LOGGER_OFF, PUMP_SILENT, Gap
from pipeline.gap_book import GapBook
from pipeline.quarantine import Quarantine

FIRST, SECOND = Gap(0, 90_000, 2, 2, PUMP_SILENT), Gap(90_000, 180_000, 2, 2, DISK)


def open_book(folder: Path) -> GapBook:
    return GapBook(folder / gap_book.NAME, Quarantine(folder / "quarantine").keep)


def test_gaps_stand_in_the_book_a_line_each(tmp_path: Path) -> None:
    open_book(tmp_path).add([FIRST])
    open_book(tmp_path).add([SECOND])
    assert (tmp_path / "gaps.csv").read_text() == HEADER + FIRST.encode() + SECOND.encode()
    assert list(gap_book.read(tmp_path / "gaps.csv")) == [FIRST, SECOND]


def test_book_sums_up_by_reason_also_after_a_restart(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.add([FIRST, SECOND, SECOND])
    wanted = {
        "reasons": {"disk": {"gaps": 2, "missing": 4}, "pump_silent": {"gaps": 1, "missing": 2}},
        "last": SECOND.document(),
    }
    assert (book.summary(), book.lost) == (wanted, 4)
    again = open_book(tmp_path)
    again.open()
    assert (again.summary(), again.lost) == (wanted, 4)


def test_missing_book_is_made_with_its_header(tmp_path: Path) -> None:
    book = open_book(tmp_path / "data")
    assert book.is_new
    book.open()
    assert (tmp_path / "data" / "gaps.csv").read_text() == HEADER
    assert book.summary() == {"reasons": {}, "last": None}


def test_book_that_was_deleted_begins_anew(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.add([FIRST])
    book.path.unlink()
    book.add([SECOND])
    assert list(gap_book.read(book.path)) == [SECOND]


@pytest.mark.parametrize("damage", [b"2026-01", b"garbage\n", b"\0" * 200_000, HEADER.encode()])
def test_damaged_lines_are_left_out_and_kept_aside(tmp_path: Path, damage: bytes) -> None:
    open_book(tmp_path).add([FIRST])
    path = tmp_path / "gaps.csv"
    path.write_bytes(path.read_bytes() + damage)
    damaged = path.read_bytes()
    open_book(tmp_path).add([SECOND])
    assert path.read_text() == HEADER + FIRST.encode() + SECOND.encode()
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_bytes() == damaged


def test_book_of_garbage_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "gaps.csv").write_bytes(b"\xff\x00 no book")
    open_book(tmp_path).add([FIRST])
    assert (tmp_path / "gaps.csv").read_text() == HEADER + FIRST.encode()


def test_write_that_failed_half_way_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = open_book(tmp_path)
    book.add([FIRST])
    real = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        real(descriptor, bytes(data)[:20], offset)
        raise OSError(errno.ENOSPC, "injected")

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="injected"):
        book.add([SECOND])
    monkeypatch.undo()
    assert list(gap_book.read(book.path)) == [FIRST]
    book.add([SECOND])
    assert book.path.read_text() == HEADER + FIRST.encode() + SECOND.encode()


def test_line_whose_write_failed_is_no_gap_of_the_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = open_book(tmp_path)
    book.add([FIRST])

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "injected")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="injected"):
            book.add([SECOND])
    assert book.path.read_bytes() == (HEADER + FIRST.encode()).encode()
    book.path.write_bytes(book.path.read_bytes() + SECOND.encode().encode())
    assert book.gaps() == [FIRST]


def test_readings_filled_in_later_are_missing_no_more(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.add([Gap(0, 90_000, 2, 2, LOGGER_OFF, filled=1, source="log")])
    assert book.summary()["reasons"] == {"logger_off": {"gaps": 1, "missing": 1}}


def test_gaps_that_were_filled_take_their_place_in_the_book_at_once(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.add([FIRST, SECOND])
    half = replace(SECOND, filled=1, source="log")
    before = book.revision
    assert book.refill(lambda gap: half if gap == SECOND else gap) == [half]
    assert book.revision != before
    assert book.gaps() == open_book(tmp_path).gaps() == [FIRST, half]
    assert book.summary()["reasons"] == {"disk": {"gaps": 1, "missing": 1}, "pump_silent": {"gaps": 1, "missing": 2}}
    content = (tmp_path / "gaps.csv").stat()
    assert book.refill(lambda gap: gap) == []
    assert (tmp_path / "gaps.csv").stat() == content
    book.add([FIRST])
    assert open_book(tmp_path).gaps() == [FIRST, half, FIRST]


def add_each(book: GapBook, gaps: list[Gap]) -> None:
    for gap in gaps:
        book.add([gap])


def test_threads_add_and_fill_without_losing_a_gap(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    gaps = [Gap(n, n + 1, 1, 1, DISK) for n in range(60)]
    with ThreadPoolExecutor(2) as pool:
        adding = pool.submit(add_each, book, gaps)
        filling = pool.submit(lambda: [book.refill(lambda gap: replace(gap, filled=1, source="log")) for _ in gaps])
        adding.result()
        filling.result()
    book.refill(lambda gap: replace(gap, filled=1, source="log"))
    assert open_book(tmp_path).gaps() == [replace(gap, filled=1, source="log") for gap in gaps]
