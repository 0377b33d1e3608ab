"""Mutants of what is deleted when."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_RETAIN = "stages/retain.py"
_AT_ONCE = "tests/test_retain.py::test_old_shards_go_three_days_at_the_start_and_three_in_a_day"

MUTANTS = (
    Mutant(
        name="age counted from now",
        breaks="rule 11",
        file=_RETAIN,
        old="return days[-_NTH_NEWEST] if len(days) >= _NTH_NEWEST else None",
        new="return today",
        tests=("tests/test_retain.py::test_fewer_than_three_days_of_shards_delete_and_compress_nothing",),
    ),
    Mutant(
        name="age counted from the newest shard",
        breaks="rule 11",
        file=_RETAIN,
        old="return days[-_NTH_NEWEST] if len(days) >= _NTH_NEWEST else None",
        new="return days[-1] if len(days) >= _NTH_NEWEST else None",
        tests=("tests/test_retain.py::test_only_shards_past_their_retention_go",),
    ),
    Mutant(
        name="age counted from a day to come",
        breaks="rule 11",
        file=_RETAIN,
        old="for part in list_parts(self._shards) if part.day <= today}",
        new="for part in list_parts(self._shards)}",
        tests=("tests/test_retain.py::test_shards_of_days_to_come_make_nothing_older",),
    ),
    Mutant(
        name="more than three days deleted at once",
        breaks="rule 11",
        file=_RETAIN,
        old="days[: DAYS_AT_ONCE - ",
        new="days[: 365 - ",
        tests=(_AT_ONCE,),
    ),
    Mutant(
        name="three days deleted at every look",
        breaks="rule 11",
        file=_RETAIN,
        old="if self._clock.monotonic() - self._period_began >= PERIOD_S:",
        new="if True:",
        tests=(_AT_ONCE,),
    ),
    Mutant(
        name="shard deleted that an unfinished rollup needs",
        breaks="rule 9",
        file=_RETAIN,
        old=" and day < needed_from)",
        new=")",
        tests=("tests/test_retain.py::test_shard_that_an_unfinished_job_needs_stays",),
    ),
)
