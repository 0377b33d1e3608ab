"""Mutants of filling gaps: what is fetched and when, what is trusted, which minutes are written."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_IMPORT = "tests/test_log_import.py::"
_STAGE = "tests/test_backfill.py::test_gap_is_filled_as_soon_as_a_log_reaches_beyond_it"

MUTANTS = (
    Mutant(
        name="log row written beside a live one",
        breaks="backfill",
        file="pipeline/log_import.py",
        old=" & ~self._is_near(times, live.times_ms)",
        new="",
        tests=(f"{_IMPORT}test_no_row_stands_within_the_interval_of_a_live_one_or_outside_of_a_gap",),
    ),
    Mutant(
        name="log row written outside of a gap",
        breaks="backfill",
        file="pipeline/log_import.py",
        old="inside(times, gaps) & ",
        new="",
        tests=(f"{_IMPORT}test_no_row_stands_within_the_interval_of_a_live_one_or_outside_of_a_gap",),
    ),
    Mutant(
        name="minute of a second log taken for another one",
        breaks="backfill",
        file="pipeline/log_import.py",
        old="        if at is None:\n",
        new="        if at is None or at != time_ms:\n",
        tests=(f"{_IMPORT}test_later_log_adds_fields_and_minutes_and_keeps_times",),
    ),
    Mutant(
        name="field trusted that the pump refutes",
        breaks="backfill",
        file="pipeline/log_proof.py",
        old="_LEAST, _SHARE = 30, 0.98",
        new="_LEAST, _SHARE = 0, 0.0",
        tests=(f"{_IMPORT}test_field_that_lies_is_left_out_with_the_reason",),
    ),
    Mutant(
        name="doubtful field taken without a minute to compare",
        breaks="backfill",
        file="pipeline/log_trust.py",
        old="if is_sure(field) and not field.hidden:",
        new="if not field.hidden:",
        tests=(f"{_IMPORT}test_without_minutes_to_compare_only_what_is_sure_is_taken",),
    ),
    Mutant(
        name="controller's clock believed",
        breaks="backfill",
        file="pipeline/log_import.py",
        old="(behind or 0)",
        new="0",
        tests=(f"{_IMPORT}test_times_are_put_right_by_the_controllers_clock",),
    ),
    Mutant(
        name="gap counts as covered by a log that ends before it",
        breaks="backfill",
        file="stages/backfill.py",
        old="covered_ms=found.to_ms,",
        new="covered_ms=now_ms,",
        tests=(_STAGE,),
    ),
    Mutant(
        name="log asked for again before it is written anew",
        breaks="backfill",
        file="stages/backfill.py",
        old="next_ms=max(written_ms, now_ms + _AFTER_MS)",
        new="next_ms=now_ms",
        tests=(_STAGE,),
    ),
    Mutant(
        name="log of any length taken into memory",
        breaks="backfill",
        file="pipeline/log_fetch.py",
        old="            if size > MOST_BYTES:\n",
        new="            if not size:\n",
        tests=("tests/test_log_fetch.py::test_file_that_never_ends_is_given_up_at_its_limit",),
    ),
)
