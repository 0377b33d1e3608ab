"""Mutants of the archive: what is due, what a day is made from, what is believed, and where a query reads instead."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_ARCHIVE = "pipeline/archive.py"
_FILE = "pipeline/archive_file.py"
_FORM, _SNAPSHOT = "pipeline/archive_form.py", "pipeline/archive_snapshot.py"
_STAGE = "stages/archive.py"
_DAMAGED = "tests/test_archive.py::test_damaged_day_is_read_from_its_shards_and_due_again"
_ANEW = "tests/test_archive.py::test_archive_that_is_damaged_all_over_is_read_from_the_shards_and_begun_anew"
_DUE_AGAIN = ("tests/test_archive.py::test_day_is_due_again_when_a_reading_came_and_is_read_from_the_shards_meanwhile",)

MUTANTS = (
    Mutant(
        name="checksum of a column not compared",
        breaks="rule 9",
        file=_SNAPSHOT,
        old="if blob != sealed(body, kind, stored.day, stored.record, sensor):",
        new="if not body:",
        tests=(f"{_DAMAGED}[a column of another day]",),
    ),
    Mutant(
        name="column of an older build believed",
        breaks="rule 9",
        file=_FORM,
        old=", zlib.crc32(record.encode()))",
        new=")",
        tests=("tests/test_archive.py::test_column_of_an_older_build_of_its_day_is_not_believed",),
    ),
    Mutant(
        name="day believed without its checksum",
        breaks="rule 9",
        file=_SNAPSHOT,
        old=" if crc == row_crc(row)]",
        new="]",
        tests=(f"{_DAMAGED}[the first and last time of a day]",),
    ),
    Mutant(
        name="column that vanished not missed",
        breaks="rule 9",
        file=_SNAPSHOT,
        old="for day, stored in wanted.items():",
        new="for day, stored in ((day, wanted[day]) for day in found):",
        tests=(f"{_DAMAGED}[a column that vanished]",),
    ),
    Mutant(
        name="sensor that vanished not missed",
        breaks="rule 9",
        file=_SNAPSHOT,
        old="if _every(self._stored.values()) & ~bits_of(numbered.values()):",
        new="if False:",
        tests=(f"{_ANEW}[lose_a_sensor]",),
    ),
    Mutant(
        name="damage that SQLite has no code for waited out",
        breaks="rule 9",
        file=_SNAPSHOT,
        old="raise (ArchiveError if passing else DamagedArchiveError)(",
        new="raise (DamagedArchiveError if getattr(error, 'sqlite_errorcode', 0) and not passing else ArchiveError)(",
        tests=(f"{_ANEW}[garble_a_text]",),
    ),
    Mutant(
        name="day added without removing what stood there",
        breaks="rule 9",
        file=_FILE,
        old="            self._remove(connection, [day])\n",
        new="",
        tests=_DUE_AGAIN,
    ),
    Mutant(
        name="day added in two transactions",
        breaks="promise 1",
        file=_FILE,
        old="            self._remove(connection, [day])\n",
        new="            self._remove(connection, [day])\n            connection.executescript('COMMIT; BEGIN')\n",
        tests=("tests/test_archive.py::test_day_that_cannot_be_added_stands_there_as_it_did",),
    ),
    Mutant(
        name="record of a day taken after its rows",
        breaks="rule 9",
        file=_ARCHIVE,
        old="""        record = _record(self._sources(day, None))
        columns, schemas = self._read(day)
""",
        new="""        columns, schemas = self._read(day)
        self._shelf.look()
        record = _record(self._sources(day, None))
""",
        tests=("tests/test_archive.py::test_reading_that_comes_while_its_day_is_read_makes_it_due_again",),
    ),
    Mutant(
        name="day that no longer fits its shards believed",
        breaks="rule 9",
        file=_ARCHIVE,
        old="return bool(self._shelf.lost(recorded)) or self._sources(day, recorded) == recorded",
        new="return True",
        tests=_DUE_AGAIN,
    ),
    Mutant(
        name="damaged day not due again",
        breaks="rule 9",
        file=_ARCHIVE,
        old="if stored is None or day in self._damage.days:",
        new="if stored is None:",
        tests=(f"{_DAMAGED}[a byte of a column]",),
    ),
    Mutant(
        name="day that was made anew distrusted for ever",
        breaks="rule 9",
        file=_ARCHIVE,
        old="        self._damage.days.discard(day)\n",
        new="",
        tests=(f"{_DAMAGED}[a byte of a column]",),
    ),
    Mutant(
        name="oldest day archived first",
        breaks="rule 9",
        file=_ARCHIVE,
        old="known.get(day))), reverse=True)",
        new="known.get(day))))",
        tests=("tests/test_archive.py::test_days_are_due_newest_first_until_they_are_added",),
    ),
    Mutant(
        name="archived day dropped while its shards stand",
        breaks="rule 9",
        file=_ARCHIVE,
        old="if day <= limit and day not in there]",
        new="if day <= limit]",
        tests=("tests/test_archive.py::test_day_whose_shards_stand_is_not_dropped",),
    ),
    Mutant(
        name="today archived before it is over",
        breaks="rule 9",
        file=_STAGE,
        old="if day < self._first_open()",
        new="if day <= self._first_open()",
        tests=("tests/test_archiving.py::test_day_is_archived_when_it_is_over",),
    ),
    Mutant(
        name="day archived while its readings wait",
        breaks="rule 9",
        file=_STAGE,
        old="return min(today, self._oldest_waiting() or today)",
        new="return today",
        tests=("tests/test_archiving.py::test_day_whose_readings_wait_is_not_archived_yet",),
    ),
    Mutant(
        name="quarters of an hour weighed alike, however many values they have",
        breaks="rule 9",
        file="pipeline/buckets.py",
        old="""        np.add.reduceat(np.concatenate([each.sums for each in pieces])[order], firsts),
        np.add.reduceat(np.concatenate([each.counts for each in pieces])[order], firsts),
""",
        new="""        np.add.reduceat(np.concatenate([each.sums // each.counts for each in pieces])[order], firsts),
        np.add.reduceat(np.concatenate([each.counts // each.counts for each in pieces])[order], firsts),
""",
        tests=("tests/test_archive.py::test_reduced_series_has_least_mean_and_greatest_of_its_values[7]",),
    ),
)
