"""Mutants of log parts: which of their rows count, how they are published, what is due by them."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_LINES = "pipeline/log_lines.py"
_READERS = "tests/test_log_readers.py"
_SHELF = "pipeline/shelf.py"

MUTANTS = (
    Mutant(
        name="log row counts beside a live one",
        breaks="rule 5",
        file=_LINES,
        old="covered.update(range(begin, at))",
        new="pass",
        tests=("tests/test_log_lines.py::test_row_counts_where_no_live_row_is_nearer_than_the_interval",),
    ),
    Mutant(
        name="live rows of the log's own day alone are near",
        breaks="rule 7",
        file=_LINES,
        old="if first - _SPREAD <= part.day <= last + _SPREAD]",
        new="if part.day == day]",
        tests=(
            "tests/test_log_lines.py::test_live_row_of_a_further_part_or_of_the_neighbouring_day_stands_near_too",
            f"{_READERS}::test_live_row_just_outside_of_the_window_covers_a_log_row_inside",
        ),
    ),
    Mutant(
        name="log part ahead of the interval beside it",
        breaks="promise 1",
        file="pipeline/log_part.py",
        old="    is_told = _tell(folder, catalog, one.day, about)\n    if is_other:\n",
        new="    is_told = is_other or _tell(folder, catalog, one.day, about)\n    if is_other:\n",
        tests=("tests/test_log_part.py::test_part_never_stands_there_without_the_interval_beside_it",),
    ),
    Mutant(
        name="log part taken for a live one",
        breaks="rule 4",
        file="pipeline/part.py",
        old="for part, path in list_all(folder).items() if not part.is_log}",
        new="for part, path in list_all(folder).items()}",
        tests=(f"{_READERS}::test_no_log_row_counts_as_a_live_reading",),
    ),
    Mutant(
        name="rows of a log that were taken back stay",
        breaks="rule 9",
        file=_SHELF,
        old="if not (one.part.is_log and ",
        new="if True or not (one.part.is_log and ",
        tests=(f"{_READERS}::test_file_of_log_rows_alone_goes_when_they_are_taken_back",),
    ),
    Mutant(
        name="what is known of a compressed log part believed",
        breaks="rule 9",
        file=_SHELF,
        old="return self._logs.is_of(source, self._version_of(source.part))",
        new="return True",
        tests=(f"{_READERS}::test_compression_of_what_was_taken_makes_nothing_due_and_a_new_log_part_does",),
    ),
    Mutant(
        name="word of a log part outlives it",
        breaks="rule 9",
        file="stages/retain.py",
        old='key=lambda path: (path.suffix != ".json", path)',
        new="key=lambda path: path",
        tests=("tests/test_retain.py::test_word_of_a_log_part_goes_before_it",),
    ),
)
