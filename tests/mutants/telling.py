"""Breaks of what the logger tells of gaps and losses."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        name="last reading that was lost with the queue not counted",
        breaks="promise 3",
        file="pipeline/gap_audit.py",
        old="missing = (inner.missing if inner else 0) + 1",
        new="missing = inner.missing if inner else 0",
        tests=("tests/test_gap_audit.py::test_readings_that_were_durable_and_are_gone_were_lost_by_the_disk",),
    ),
    Mutant(
        name="refused reading is no gap",
        breaks="rule 13",
        file="stages/poll.py",
        old="self.gaps.missed(to_ms(moment), now, 1, DISK)",
        new="pass",
        tests=("tests/test_poll.py::test_readings_that_find_no_place_are_a_gap_of_the_disk",),
    ),
    Mutant(
        name="gap of the pump that a kill ended forgotten",
        breaks="promise 4",
        file="pipeline/gap_audit.py",
        old="found.append(last.open)",
        new="pass",
        tests=("tests/test_gap_audit.py::test_gap_of_the_pump_that_was_open_keeps_its_reason",),
    ),
    Mutant(
        name="jump of the clock leaves no gap",
        breaks="promise 5",
        file="pipeline/gap_watch.py",
        old="if stepped_ms > 0 and",
        new="if stepped_ms < 0 and",
        tests=("tests/test_gap_watch.py::test_clock_that_jumps_forward_leaves_a_gap_and_a_line",),
    ),
    Mutant(
        name="open queue asked through a connection that may not write",
        breaks="promise 3",
        file="pipeline/service.py",
        old="queue_view.of(held.queue, settings.data_dir / QUARANTINE)",
        new="queue_view.look(held.queue.path, settings.data_dir / QUARANTINE)",
        tests=("tests/test_service.py::test_reading_that_comes_while_the_state_is_told_finds_the_queue_writable",),
    ),
    Mutant(
        name="gap of the run before forgotten when the next one tells its state",
        breaks="promise 4",
        file="stages/watch.py",
        old="{} if self._audited else gap_audit.untold(self._before or {})",
        new="{}",
        tests=("tests/test_watch.py::test_second_restart_before_the_first_slot_keeps_the_gap_of_the_pump",),
    ),
    Mutant(
        name="gap that was not acknowledged counts as known",
        breaks="rule 3",
        file="pipeline/gap_book.py",
        old="self.path.read_bytes()[:size]",
        new="self.path.read_bytes()",
        tests=("tests/test_gap_book.py::test_line_whose_write_failed_is_no_gap_of_the_book",),
    ),
    Mutant(
        name="state of another form shown as it is",
        breaks="promise 7",
        file="pipeline/status.py",
        old="if found is None or not state.fits(found):",
        new="if found is None:",
        tests=("tests/test_status.py::test_state_of_another_form_counts_as_none",),
    ),
)
