"""Mutants of daily and weekly files: what is due, how far a file is, how it is published."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_ALARM = "pipeline/alarm.py"
_FILE = "pipeline/rollup_file.py"
_ROLLUP = "stages/rollup.py"
_HOLDS = "tests/test_rollup.py::test_checkpoint_that_does_not_hold_is_thrown_away_with_a_line"

MUTANTS = (
    Mutant(
        name="rollup grows under its final name",
        breaks="promise 1",
        file=_FILE,
        old="self._part = self.target.with_name(window.name + PART_SUFFIX)",
        new="self._part = self.target.with_name(window.name)",
        tests=("tests/test_rollup.py::test_stop_ends_a_rollup_between_two_chunks",),
    ),
    Mutant(
        name="window made from UTC days of 24 hours",
        breaks="promise 5",
        file="pipeline/window.py",
        old="return Window(day, kind, _border(day - timedelta(days=KINDS[kind]), csv_time, zone), ",
        new="return Window(day, kind, _border(day, csv_time, zone) - KINDS[kind] * 86_400_000, ",
        tests=("tests/test_window.py::test_window_over_a_clock_change_has_the_hours_of_its_day",),
    ),
    Mutant(
        name="step of the clock not seen by the alarm",
        breaks="promise 5",
        file=_ALARM,
        old="if abs(self._local_ahead_s() - self._ahead_s) > _STEP_S:",
        new="if False:",
        tests=("tests/test_alarm.py::test_clock_step_stalls_no_wake",),
    ),
    Mutant(
        name="missed rollups not made up",
        breaks="promise 7",
        file=_ROLLUP,
        old="range(first.toordinal(), last.toordinal() + 1)",
        new="range(last.toordinal(), last.toordinal() + 1)",
        tests=("tests/test_rollup.py::test_three_days_off_are_made_up_oldest_first",),
    ),
    Mutant(
        name="rollup begins anew instead of resuming",
        breaks="promise 7",
        file=_FILE,
        old="return saved\n",
        new="return None\n",
        tests=("tests/test_rollup.py::test_resumed_file_goes_on_where_its_checkpoint_says",),
    ),
    Mutant(
        name="file that exists is taken for right",
        breaks="rule 9",
        file=_ROLLUP,
        old="return list(record.sources) == ",
        new="return True or list(record.sources) == ",
        tests=("tests/test_rollup.py::test_readings_that_reach_the_shard_only_later_are_in_the_file",),
    ),
    Mutant(
        name="file without a record is taken for right",
        breaks="rule 9",
        file=_ROLLUP,
        old="if record is None:\n            return False",
        new="if record is None:\n            return True",
        tests=("tests/test_rollup.py::test_file_that_was_deleted_or_whose_record_is_lost_is_made_again",),
    ),
    Mutant(
        name="rollup made while older readings wait",
        breaks="rule 9",
        file=_ROLLUP,
        old="if waiting is not None and waiting < one.end_ms",
        new="if False",
        tests=("tests/test_rollup.py::test_window_waits_for_readings_that_are_not_in_the_shards_yet",),
    ),
    Mutant(
        name="file made anew from fewer shards",
        breaks="rule 9",
        file=_ROLLUP,
        old="if self._shelf.lost(record.sources):",
        new="if False:",
        tests=("tests/test_rollup.py::test_file_whose_shards_are_gone_stays_as_it_was",),
    ),
    Mutant(
        name="checkpoint ahead of its part file",
        breaks="rule 10",
        file=_FILE,
        old="os.ftruncate(descriptor, length)\n            os.fsync(descriptor)",
        new="os.ftruncate(descriptor, length)",
        tests=("tests/test_rollup.py::test_checkpoint_never_leads_its_part_file",),
    ),
    Mutant(
        name="checkpoint of another plan believed",
        breaks="rule 10",
        file=_FILE,
        old="if not saved.is_plan_of(self._plan):",
        new="if False:",
        tests=(f"{_HOLDS}[plan changed]",),
    ),
    Mutant(
        name="part file not compared with its checkpoint",
        breaks="rule 10",
        file=_FILE,
        old=" or _crc(self._part, saved.length) != saved.crc",
        new="",
        tests=(f"{_HOLDS}[part changed]",),
    ),
    Mutant(
        name="growth behind the end is taken along",
        breaks="rule 10",
        file="pipeline/span.py",
        old="hash_of(header), start, end, first_ms, last_ms)",
        new="hash_of(header), start, whole, first_ms, last_ms)",
        tests=("tests/test_rollup.py::test_growth_behind_the_end_and_compression_make_nothing_due",),
    ),
    Mutant(
        name="rollup takes the last of the disk",
        breaks="rule 13",
        file=_FILE,
        old="if free - n_bytes < self._reserve:",
        new="if free < n_bytes:",
        tests=("tests/test_rollup.py::test_too_little_space_is_told_before_the_start_and_the_job_waits",),
    ),
    Mutant(
        name="part file kept on a full disk",
        breaks="rule 13",
        file=_FILE,
        old="self._part.unlink(missing_ok=True)",
        new="pass",
        tests=("tests/test_rollup.py::test_space_that_runs_out_gives_the_part_file_back",),
    ),
    Mutant(
        name="rollups look at the window's own days only",
        breaks="rule 7",
        file="pipeline/shelf.py",
        old="_SPREAD = timedelta(days=2)",
        new="_SPREAD = timedelta(days=0)",
        tests=("tests/test_rollup.py::test_readings_are_found_by_their_time_whatever_day_their_part_is_named_after",),
    ),
)
