"""Mutants of the store's front, of the queue and of the writer that drains it."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_QUEUE = "pipeline/queue.py"
_LIBRARY = "pipeline/library_queue.py"
_SALVAGE = "pipeline/salvage.py"
_STORE = "pipeline/store.py"
_WRITE = "stages/write.py"
_ANYWHERE = "tests/test_write.py::test_exception_anywhere_between_get_and_acknowledgement_loses_and_doubles_nothing"

MUTANTS = (
    Mutant(
        name="acknowledged before it is appended",
        breaks="rule 1",
        file=_WRITE,
        old="self._store(batch)\n",
        new="self._queue.acknowledge()\n            self._store(batch)\n",
        tests=("tests/test_write.py::test_reading_stays_queued_until_its_line_is_on_disk",),
    ),
    Mutant(
        name="cursor not rewound after a failure",
        breaks="rule 1",
        file=_WRITE,
        old="self._queue.rewind()",
        new="pass",
        tests=(f"{_ANYWHERE}[error0-os-pwrite]", f"{_ANYWHERE}[error0-Shards-append]"),
    ),
    Mutant(
        name="rewinding moves no cursor",
        breaks="rule 1",
        file=_QUEUE,
        old="self._open.cursor = self._acknowledged",
        new="pass",
        tests=("tests/test_queue.py::test_failed_batch_is_given_again_and_not_deleted_by_a_later_acknowledgement",),
    ),
    Mutant(
        name="depth leaves out what was got",
        breaks="rule 1",
        file=_QUEUE,
        old="queue._count()",
        new="queue.qsize()",
        tests=("tests/test_queue.py::test_depth_counts_what_was_got_but_not_acknowledged",),
    ),
    Mutant(
        name="put returns before its commit",
        breaks="promise 1",
        file=_LIBRARY,
        old="with self.tran_lock, self._putter as connection:\n",
        new="connection = self._putter\n        with self.tran_lock:\n",
        tests=("tests/test_queue.py::test_put_survives_a_kill_at_once",),
    ),
    Mutant(
        name="a batch is put in pieces",
        breaks="promise 1",
        file=_LIBRARY,
        old="with self.tran_lock, self._putter as connection:\n            connection.executemany("
        "self._sql_insert, ((data, now) for data in encoded))",
        new="for data in encoded:\n            with self.tran_lock, self._putter as connection:\n"
        "                connection.execute(self._sql_insert, (data, now))",
        tests=("tests/test_queue.py::test_batch_is_put_whole_or_not_at_all",),
    ),
    Mutant(
        name="queue commits without an fsync",
        breaks="promise 2",
        file=_LIBRARY,
        old='asked("PRAGMA synchronous=FULL")',
        new='asked("PRAGMA synchronous=NORMAL")\n        return',
        tests=("tests/test_queue.py::test_every_commit_of_the_writing_connection_is_fsynced",),
    ),
    Mutant(
        name="row that is no reading is dropped",
        breaks="rule 2",
        file=_WRITE,
        old="self._keep(row, error)",
        new="del error",
        tests=(
            "tests/test_write.py"
            "::test_row_that_cannot_be_decoded_is_quarantined_byte_for_byte_before_its_batch_is_acknowledged",
        ),
    ),
    Mutant(
        name="reading that has no line is dropped",
        breaks="rule 2",
        file=_WRITE,
        old="self._keep(reading.encode(), error)",
        new="del error",
        tests=(
            "tests/test_write.py::test_reading_that_alone_has_no_line_is_quarantined_and_the_rest_of_its_batch_stored",
        ),
    ),
    Mutant(
        name="one bad reading stops its whole batch",
        breaks="rule 2",
        file=_WRITE,
        old="self._store_singly(readings)\n",
        new="raise\n",
        tests=(
            "tests/test_write.py::test_reading_that_alone_has_no_line_is_quarantined_and_the_rest_of_its_batch_stored",
        ),
    ),
    Mutant(
        name="failing disk sends readings into quarantine",
        breaks="rule 2",
        file=_WRITE,
        old="isinstance(error, OSError | MemoryError)",
        new="isinstance(error, MemoryError)",
        tests=("tests/test_write.py::test_disk_that_takes_no_rows_sends_none_into_quarantine",),
    ),
    Mutant(
        name="piece in quarantine is not fsynced",
        breaks="rule 2",
        file="pipeline/quarantine.py",
        old="files.publish(target, data)",
        new="target.write_bytes(data)",
        tests=("tests/test_quarantine.py::test_piece_is_fsynced_before_it_bears_its_name",),
    ),
    Mutant(
        name="checksum of a reading not compared",
        breaks="rule 2",
        file="pipeline/reading.py",
        old="if zlib.crc32(data[_HEAD_AT:]) != _CRC.unpack_from(data, len(_MAGIC))[0]:",
        new="if False:",
        tests=(
            "tests/test_write.py"
            "::test_row_that_cannot_be_decoded_is_quarantined_byte_for_byte_before_its_batch_is_acknowledged",
        ),
    ),
    Mutant(
        name="day label computed from UTC",
        breaks="rule 7",
        file=_STORE,
        old="*local_label(timestamp, self._zone)",
        new='*local_label(timestamp, ZoneInfo("UTC"))',
        tests=("tests/test_store.py::test_local_day_and_offset_are_those_of_the_poll_in_both_clock_changes",),
    ),
    Mutant(
        name="log without its database is opened",
        breaks="rule 12",
        file=_QUEUE,
        old="if salvage.is_orphaned(self.path):",
        new="if False:",
        tests=("tests/test_queue.py::test_log_beside_a_missing_or_empty_database_is_kept",),
    ),
    Mutant(
        name="database moved aside without its log",
        breaks="rule 12",
        file=_SALVAGE,
        old='SUFFIXES = ("", "-wal", "-shm")',
        new='SUFFIXES = ("",)',
        tests=("tests/test_queue.py::test_log_beside_a_missing_or_empty_database_is_kept",),
    ),
    Mutant(
        name="file is not looked over before it is opened",
        breaks="rule 12",
        file=_LIBRARY,
        old="look_over(path, TABLE)",
        new="pass",
        tests=("tests/test_queue.py::test_crash_between_any_two_renames_is_continued[2]",),
    ),
    Mutant(
        name="connection left open where the queue cannot be made",
        breaks="rule 13",
        file=_LIBRARY,
        old="connection.close()",
        new="pass",
        tests=("tests/test_queue.py::test_failure_to_open_leaves_no_file_open",),
    ),
    Mutant(
        name="readings of a damaged queue not taken over",
        breaks="rule 12",
        file=_QUEUE,
        old="queue.insert(found)",
        new="list(found)",
        tests=("tests/test_queue.py::test_readable_rows_of_a_damaged_database_are_taken_over",),
    ),
    Mutant(
        name="readings that SQLite does not give are left",
        breaks="rule 12",
        file=_SALVAGE,
        old="_carved(self._aside, seen):",
        new="():",
        tests=("tests/test_queue.py::test_whole_readings_are_carved_out_where_the_first_page_is_damaged",),
    ),
    Mutant(
        name="damaged queue takes the place of an earlier one",
        breaks="rule 12",
        file=_SALVAGE,
        old="if aside is None or not aside.exists() or not _fits(database, aside):",
        new="if aside is None:",
        tests=("tests/test_queue.py::test_queue_damaged_again_before_the_first_was_read_displaces_nothing",),
    ),
    Mutant(
        name="no bound on readings in memory",
        breaks="rule 13",
        file=_STORE,
        old="if len(self._waiting) >= MAX_WAITING and not self._flush():",
        new="if False:",
        tests=("tests/test_store.py::test_readings_wait_in_memory_in_order_while_the_disk_takes_none",),
    ),
    Mutant(
        name="refused readings not counted",
        breaks="promise 3",
        file=_STORE,
        old="self.refused += 1",
        new="pass",
        tests=("tests/test_store.py::test_readings_wait_in_memory_in_order_while_the_disk_takes_none",),
    ),
    Mutant(
        name="readings that the disk did not take are dropped",
        breaks="promise 3",
        file=_STORE,
        old="            return False\n        self._outage.over(",
        new="            self._waiting.clear()\n            return False\n        self._outage.over(",
        tests=("tests/test_store.py::test_readings_wait_in_memory_in_order_while_the_disk_takes_none",),
    ),
    Mutant(
        name="what waits in memory is not tried again",
        breaks="promise 3",
        file=_WRITE,
        old="self._catch_up()\n",
        new="pass\n",
        tests=("tests/test_write.py::test_readings_that_waited_in_memory_are_stored_without_a_further_poll",),
    ),
    Mutant(
        name="shards read before the queue",
        breaks="rule 14",
        file=_STORE,
        old="waiting = [row for row in rows if start_ms <= (time_of(row) or 0) < end_ms]\n"
        "        merged = _merge(self._stored(start_ms, end_ms), waiting)",
        new="stored = list(self._stored(start_ms, end_ms))\n"
        "        waiting = [row for row in rows if start_ms <= (time_of(row) or 0) < end_ms]\n"
        "        merged = _merge(iter(stored), waiting)",
        tests=("tests/test_store.py::test_reading_that_is_written_while_the_shards_are_read_is_not_missed",),
    ),
    Mutant(
        name="queue read before the buffer",
        breaks="rule 14",
        file=_STORE,
        old="            buffered = list(self._waiting)\n"
        "        rows = chain(self._queue.snapshot(), buffered)\n        #",
        new="            pass\n        queued = list(self._queue.snapshot())\n"
        "        rows = chain(queued, list(self._waiting))\n        #",
        tests=("tests/test_store.py::test_reading_that_moves_onto_the_queue_during_the_query_is_not_missed",),
    ),
    Mutant(
        name="reading on the queue and in a shard comes twice",
        breaks="rule 14",
        file=_STORE,
        old="if last is None or last.time_ms != time_ms:",
        new="if True:",
        tests=("tests/test_store.py::test_reading_that_is_queued_and_stored_comes_once",),
    ),
)
